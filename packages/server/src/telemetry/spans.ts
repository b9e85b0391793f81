import type { AuthEvent } from '../events.js'
import { endpointOf } from './metrics.js'
import type { TelemetryAttributes, TelemetryTracer } from './open-telemetry.js'

// Of SpanKind and SpanStatusCode.
const internal = 0
const client = 2
const error = 2

// The other outcomes of a call say something about one user or code.
const failed: ReadonlySet<string> = new Set([
  'wechat_unavailable',
  'lost',
  'unreadable',
  'no_place',
  'rate_limited',
  'server_misconfigured',
  'server_error',
])

interface Timed {
  readonly startedMs: number
  readonly durationMs: number
}

interface SpanOptions {
  readonly kind?: number
  readonly isFailed?: boolean
  readonly attributes: TelemetryAttributes
}

/** Makes a span of each event that took time, below the span that was active when it ended: that of the request. */
export function createSpans(tracer: TelemetryTracer): (event: AuthEvent) => void {
  function record(
    name: string,
    { startedMs, durationMs }: Timed,
    { kind = internal, isFailed = false, attributes }: SpanOptions,
  ): void {
    const span = tracer.startSpan(name, { kind, startTime: new Date(startedMs), attributes })
    if (isFailed) span.setStatus({ code: error })
    span.end(new Date(startedMs + Math.max(0, durationMs)))
  }

  return (event) => {
    switch (event.type) {
      case 'login': {
        const { by, kind, outcome, appId } = event
        const attributes = {
          'wxlogin.by': by,
          'wxlogin.kind': kind,
          'wxlogin.outcome': outcome,
          'wxlogin.app_id': appId,
        }
        return record('wxlogin login', event, { attributes })
      }
      case 'refresh': {
        const { outcome, reason, appId } = event
        const attributes = {
          'wxlogin.outcome': outcome,
          'wxlogin.app_id': appId,
          ...(reason && { 'wxlogin.reason': reason }),
        }
        return record('wxlogin refresh', event, { attributes })
      }
      case 'phone': {
        const { outcome, appId } = event
        const attributes = { 'wxlogin.outcome': outcome, 'wxlogin.app_id': appId }
        return record('wxlogin phone', event, { attributes })
      }
      case 'wechat': {
        const { outcome, appId, errcode, rid } = event
        const endpoint = endpointOf(event)
        const attributes = {
          'wxlogin.endpoint': endpoint,
          'wxlogin.outcome': outcome,
          'wxlogin.app_id': appId,
          ...(errcode !== undefined && { 'wxlogin.errcode': errcode }),
          ...(rid !== undefined && { 'wxlogin.rid': rid }),
        }
        const isFailed = failed.has(outcome)
        return record(`wechat ${endpoint}`, event, { kind: client, isFailed, attributes })
      }
      default:
        return undefined
    }
  }
}
