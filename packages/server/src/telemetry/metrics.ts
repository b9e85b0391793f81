import type { AuthEvent, BreakerEvent, EndpointGroup } from '../events.js'
import type { TelemetryAttributes, TelemetryCounter, TelemetryMeter } from './open-telemetry.js'

/** What `Telemetry.observe` reads each time that metrics are collected. */
export interface ObservedAuth {
  wechatHealth(): {
    readonly breakers: Readonly<Record<EndpointGroup, BreakerEvent['state']>>
    readonly inFlight: Readonly<Record<EndpointGroup, number>>
  }
}

// In seconds: the defaults of OpenTelemetry are made for milliseconds.
const seconds = {
  unit: 's',
  advice: {
    explicitBucketBoundaries: [
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ],
  },
}

const states = ['closed', 'half_open', 'open'] as const

/** Counts events. No attribute says who: every value is from a short list. */
export function createMetrics(meter: TelemetryMeter): (event: AuthEvent) => void {
  const count = (name: string, unit: string, description: string): TelemetryCounter =>
    meter.createCounter(name, { unit: `{${unit}}`, description })
  const time = (name: string, description: string) => {
    const histogram = meter.createHistogram(name, { ...seconds, description })
    return ({ durationMs }: { readonly durationMs: number }, attributes: TelemetryAttributes) =>
      // A clock that was set back in between says nothing.
      histogram.record(Math.max(0, durationMs) / 1000, attributes)
  }

  const logins = count('wxlogin.logins', 'login', 'Logins that created a session or were repeated')
  const loginTime = time('wxlogin.login.duration', 'How long logins took, your hooks included')
  const refreshes = count('wxlogin.refreshes', 'refresh', 'Refresh tokens that were presented')
  const refreshTime = time('wxlogin.refresh.duration', 'How long refreshes took')
  const revoked = count('wxlogin.sessions.revoked', 'session', 'Sessions that were revoked')
  const evicted = count('wxlogin.sessions.evicted', 'session', 'Sessions beyond the limit per user')
  const logouts = count('wxlogin.logouts', 'logout', 'Sessions that their own clients ended')
  const forgotten = count('wxlogin.users.forgotten', 'user', 'Users whose sessions were removed')
  const phones = count('wxlogin.phone_numbers', 'phone_number', 'Phone numbers that were shared')
  const asked = count('wxlogin.devices.asked', 'device', 'Devices that asked to be let in')
  const decided = count('wxlogin.devices.decided', 'device', 'Devices that users decided about')
  const wechatTime = time('wxlogin.wechat.duration', 'How long calls to WeChat took')
  const misconfigured = count(
    'wxlogin.misconfigured',
    'call',
    'Calls that WeChat refused because of this configuration',
  )
  const warnings = count('wxlogin.warnings', 'warning', 'Warnings of trouble later')
  const failures = count('wxlogin.failures', 'request', 'Requests answered with 500 or 503')

  return (event) => {
    switch (event.type) {
      case 'login': {
        const { by, kind, outcome } = event
        logins.add(1, { by, kind, outcome })
        return loginTime(event, { by, kind, outcome })
      }
      case 'refresh': {
        const { outcome, reason } = event
        refreshes.add(1, { outcome, ...(reason && { reason }) })
        return refreshTime(event, { outcome })
      }
      case 'phone':
        return phones.add(1, { outcome: event.outcome })
      case 'revoked':
        return revoked.add(1, { reason: shortReason(event.reason) })
      case 'logout':
        return logouts.add(1, { everywhere: event.everywhere })
      case 'device_asked':
        return asked.add(1)
      case 'device_decided':
        return decided.add(1, { outcome: event.outcome })
      case 'evicted':
        return evicted.add(1)
      case 'forgotten':
        return forgotten.add(1)
      case 'wechat':
        return wechatTime(event, { endpoint: endpointOf(event), outcome: event.outcome })
      case 'misconfigured':
        return misconfigured.add(1, { endpoint: endpointOf(event), errcode: event.errcode })
      case 'breaker':
        // A gauge reads the state.
        return undefined
      case 'warning':
        return warnings.add(1, { warning: event.warning })
      case 'failure':
        return failures.add(1, { code: event.code })
      default:
        return event satisfies never
    }
  }
}

/** Reads circuit breakers and places whenever metrics are collected. */
export function createGauges(meter: TelemetryMeter): (auth: ObservedAuth) => void {
  const breaker = meter.createObservableGauge('wxlogin.wechat.breaker', {
    description: '1 for the state that the circuit breaker of a group is in, 0 for the others',
  })
  const inFlight = meter.createObservableGauge('wxlogin.wechat.in_flight', {
    unit: '{call}',
    description: 'Places of a group that calls to WeChat have taken',
  })

  return (auth) => {
    breaker.addCallback((reading) => {
      for (const [group, current] of Object.entries(auth.wechatHealth().breakers)) {
        for (const state of states) reading.observe(state === current ? 1 : 0, { group, state })
      }
    })
    inFlight.addCallback((reading) => {
      for (const [group, taken] of Object.entries(auth.wechatHealth().inFlight)) {
        reading.observe(taken, { group })
      }
    })
  }
}

/** Paths that the app made up could be any number, and say anything. */
export function endpointOf({ endpoint }: { readonly endpoint: string }): string {
  return endpoint.startsWith('/') ? 'call' : endpoint
}

/** Apps revoke for reasons of their own words; only one that is a name, and so cannot be somebody's id, is told. */
function shortReason(reason: string): string {
  return /^[a-z]{1,16}(_[a-z]{1,16}){0,3}$/.test(reason) ? reason : 'other'
}
