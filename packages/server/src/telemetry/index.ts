export type { ObservedAuth } from './metrics.js'
export type {
  InstrumentOptions,
  TelemetryApi,
  TelemetryAttributes,
  TelemetryCounter,
  TelemetryGauge,
  TelemetryHistogram,
  TelemetryMeter,
  TelemetryReading,
  TelemetrySpan,
  TelemetryTracer,
} from './open-telemetry.js'
export { createTelemetry, type Telemetry } from './telemetry.js'
