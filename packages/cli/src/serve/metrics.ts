import type { AuthEvent } from '@wxlogin/server'
import {
  createTelemetry,
  type ObservedAuth,
  type TelemetryAttributes,
  type TelemetryMeter,
  type TelemetryReading,
} from '@wxlogin/server/telemetry'

/** The type of what {@link Metrics.text} returns: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

export interface Metrics {
  /** For the option `onEvent`. */
  onEvent(event: AuthEvent): void
  /** Reads the circuit breakers and the calls in flight whenever {@link Metrics.text} is called. */
  observe(auth: ObservedAuth): void
  /** Everything that was counted since the start, in the text format of Prometheus, version 0.0.4. */
  text(): string
}

/**
 * Metrics for Prometheus: those of `@wxlogin/server/telemetry`, under the names that Prometheus has for them. No label
 * says which user, session or openid it was, and the series of a metric are bounded.
 */
export function createMetrics(): Metrics {
  const metrics: Metric[] = []
  const meter: TelemetryMeter = {
    createCounter(name, { description = '' }) {
      const counter = createCounter(`${promName(name)}_total`, description)
      for (const labels of fromTheStart[name] ?? []) counter.add(0, labels)
      metrics.push(counter)
      return counter
    },
    createHistogram(name, { description = '', unit, advice }) {
      const suffix = unit === 's' ? '_seconds' : ''
      const bounds = advice?.explicitBucketBoundaries ?? []
      const histogram = createHistogram(promName(name) + suffix, description, bounds)
      metrics.push(histogram)
      return histogram
    },
    createObservableGauge(name, { description = '' }) {
      const gauge = createGauge(promName(name), description)
      metrics.push(gauge)
      return gauge
    },
  }
  const { onEvent, observe } = createTelemetry({ metrics: { getMeter: () => meter } })

  return {
    onEvent,
    observe,
    text: () => `${metrics.flatMap((metric) => metric.lines()).join('\n')}\n`,
  }
}

type EventOf<Type extends AuthEvent['type']> = Extract<AuthEvent, { readonly type: Type }>

/** What is counted from zero: of a series that begins with 1, Prometheus does not notice the first one. */
const fromTheStart: Readonly<Record<string, readonly TelemetryAttributes[]>> = {
  'wxlogin.refreshes': (
    ['rotated', 'retried', 'healed', 'reused'] satisfies EventOf<'refresh'>['outcome'][]
  ).map((outcome) => ({ outcome })),
  'wxlogin.failures': (
    [
      'server_error',
      'server_misconfigured',
      'store_unavailable',
      'temporarily_unavailable',
      'wechat_unavailable',
    ] satisfies EventOf<'failure'>['code'][]
  ).map((code) => ({ code })),
  'wxlogin.logouts': [{ everywhere: false }, { everywhere: true }],
  'wxlogin.sessions.evicted': [{}],
  'wxlogin.users.forgotten': [{}],
}

interface Metric {
  /** With `# HELP` and `# TYPE`. */
  lines(): readonly string[]
}

function createCounter(name: string, help: string) {
  const series = createSeries(() => ({ value: 0 }))
  return {
    add(value: number, labels: TelemetryAttributes = {}) {
      series.of(labels).value += value
    },
    lines: () => [
      ...headOf(name, help, 'counter'),
      ...series.all().map(([labels, { value }]) => sample(name, labels, value)),
    ],
  }
}

function createHistogram(name: string, help: string, bounds: readonly number[]) {
  const series = createSeries(() => ({ counts: bounds.map(() => 0), count: 0, sum: 0 }))
  return {
    record(value: number, labels: TelemetryAttributes = {}) {
      const one = series.of(labels)
      one.count += 1
      one.sum += value
      const bucket = bounds.findIndex((bound) => value <= bound)
      if (bucket >= 0) one.counts[bucket] = (one.counts[bucket] ?? 0) + 1
    },
    lines: () => [
      ...headOf(name, help, 'histogram'),
      ...series.all().flatMap(([labels, { counts, count, sum }]) => {
        let below = 0
        const buckets = bounds.map((bound, index) => {
          below += counts[index] ?? 0
          return sample(`${name}_bucket`, [...labels, ['le', String(bound)]], below)
        })
        return [
          ...buckets,
          sample(`${name}_bucket`, [...labels, ['le', '+Inf']], count),
          sample(`${name}_sum`, labels, sum),
          sample(`${name}_count`, labels, count),
        ]
      }),
    ],
  }
}

function createGauge(name: string, help: string) {
  const callbacks: ((reading: TelemetryReading) => void)[] = []
  return {
    addCallback(callback: (reading: TelemetryReading) => void) {
      callbacks.push(callback)
    },
    lines() {
      const series = createSeries(() => ({ value: 0 }))
      const observe = (value: number, labels: TelemetryAttributes = {}) => {
        series.of(labels).value = value
      }
      for (const callback of callbacks) callback({ observe })
      return [
        ...headOf(name, help, 'gauge'),
        ...series.all().map(([labels, { value }]) => sample(name, labels, value)),
      ]
    },
  }
}

type Labels = readonly (readonly [name: string, value: string])[]

// Far more than there are combinations of the values that the events have.
const maxSeries = 500

/** By labels; what is beyond the limit is counted together, so that no word of an app's own fills the memory. */
function createSeries<T>(create: () => T) {
  const byLabels = new Map<string, readonly [Labels, T]>()

  function find(labels: Labels): T {
    const key = JSON.stringify(labels)
    const known = byLabels.get(key)
    if (known) return known[1]
    const isFull = byLabels.size >= maxSeries && labels.some(([, value]) => value !== 'other')
    if (isFull) return find(labels.map(([name]) => [name, 'other']))
    const value = create()
    byLabels.set(key, [labels, value])
    return value
  }

  return {
    of: (attributes: TelemetryAttributes) =>
      find(Object.entries(attributes).map(([name, value]) => [promName(name), String(value)])),
    all: () => [...byLabels.values()],
  }
}

/** Dots are OpenTelemetry's. */
const promName = (name: string) => name.replaceAll('.', '_')

const headOf = (name: string, help: string, type: string) => [
  `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
  `# TYPE ${name} ${type}`,
]

function sample(name: string, labels: Labels, value: number): string {
  const shown = labels.map(([label, text]) => `${label}="${escaped(text)}"`).join(',')
  return `${name}${shown && `{${shown}}`} ${value}`
}

const escaped = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
