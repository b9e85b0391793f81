/** What is known of a measurement or a span. */
export interface TelemetryAttributes {
  [name: string]: string | number | boolean
}

/** What is needed of `@opentelemetry/api`. */
export interface TelemetryApi {
  /** Makes the meter; without it nothing is counted. */
  metrics?: { getMeter(name: string): TelemetryMeter }
  /** Makes the tracer; without it there are no spans. */
  trace?: { getTracer(name: string): TelemetryTracer }
}

export interface TelemetryMeter {
  createCounter(name: string, options: InstrumentOptions): TelemetryCounter
  createHistogram(name: string, options: InstrumentOptions): TelemetryHistogram
  createObservableGauge(name: string, options: InstrumentOptions): TelemetryGauge
}

export interface InstrumentOptions {
  description?: string
  unit?: string
  advice?: { explicitBucketBoundaries?: number[] }
}

export interface TelemetryCounter {
  add(value: number, attributes?: TelemetryAttributes): void
}

export interface TelemetryHistogram {
  record(value: number, attributes?: TelemetryAttributes): void
}

export interface TelemetryGauge {
  addCallback(callback: (result: TelemetryReading) => void): void
}

export interface TelemetryReading {
  observe(value: number, attributes?: TelemetryAttributes): void
}

export interface TelemetryTracer {
  /** The span that is active where it is started becomes its parent. */
  startSpan(
    name: string,
    options: { kind: number; startTime: Date; attributes: TelemetryAttributes },
  ): TelemetrySpan
}

export interface TelemetrySpan {
  setStatus(status: { code: number }): unknown
  end(endTime: Date): void
}
