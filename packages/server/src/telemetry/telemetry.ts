import type { AuthEvent } from '../events.js'
import { checkNames, type OptionNames } from '../option-checks.js'
import { createGauges, createMetrics, type ObservedAuth } from './metrics.js'
import type { TelemetryApi } from './open-telemetry.js'
import { createSpans } from './spans.js'

/** What {@link createTelemetry} returns. */
export interface Telemetry {
  /** For the option `onEvent`. Never throws for what is in an event. */
  onEvent(event: AuthEvent): void
  /** Reads the circuit breakers of an `auth` and its calls in flight each time that metrics are collected. */
  observe(auth: ObservedAuth): void
}

const scope = '@wxlogin/server'

const names: OptionNames<TelemetryApi> = { metrics: true, trace: true }

/**
 * Metrics and spans of OpenTelemetry, made of events. It takes `metrics` and `trace` of `@opentelemetry/api`, or one of
 * them, once the SDK has been started. No attribute says which user, session or openid it was. Throws a `TypeError`
 * for anything else.
 *
 * @example
 * const telemetry = createTelemetry({ metrics, trace })
 * const auth = createAuth({ ...options, onEvent: telemetry.onEvent })
 * telemetry.observe(auth)
 */
export function createTelemetry(api: TelemetryApi): Telemetry {
  checkNames('createTelemetry', api, names)
  const { metrics, trace } = api
  if (!metrics && !trace) {
    throw new TypeError(
      'createTelemetry needs metrics or trace of @opentelemetry/api; pass what you import',
    )
  }
  checkHas('metrics', metrics, 'getMeter')
  checkHas('trace', trace, 'getTracer')
  const meter = metrics?.getMeter(scope)
  const tracer = trace?.getTracer(scope)
  const count = meter && createMetrics(meter)
  const span = tracer && createSpans(tracer)
  const watch = meter && createGauges(meter)

  return {
    onEvent(event) {
      count?.(event)
      span?.(event)
    },

    observe(auth) {
      checkHas('auth', auth, 'wechatHealth')
      watch?.(auth)
    },
  }
}

function checkHas(what: string, value: unknown, method: string): void {
  if (value === undefined || typeof Object(value)[method] === 'function') return
  throw new TypeError(`${what}.${method} must be a function; pass ${what} as it is`)
}
