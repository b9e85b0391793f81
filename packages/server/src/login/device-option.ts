import { AuthError } from '../errors.js'
import {
  checkCount,
  checkDuration,
  checkFlags,
  checkFunctions,
  checkNames,
} from '../option-checks.js'
import type { RequestHeaders } from '../request.js'

export interface DeviceGrantOptions {
  /**
   * Lets a PC, or anything else without WeChat, be let in by a user's phone (小程序扫码登录), by the OAuth 2.0 device
   * authorization grant (RFC 8628). Without this option there are no such routes. Needs a store with `put`, `peek` and
   * `take`; all stores of this package have them.
   */
  deviceGrant?: DeviceGrantSettings
}

export interface DeviceGrantSettings {
  /** How long a device may wait for its user, in seconds, 30 to 600 (default 180). */
  ttlSeconds?: number
  /**
   * Whether an approval has to bring the two digits that the device shows (default false). A user who was sent a picture
   * by somebody else does not see them.
   */
  numberMatching?: boolean
  /** How many devices may wait at once in this process (default 10,000); beyond that `POST /device` answers 429. */
  maxOpen?: number
  /**
   * Where a request to `POST /device` comes from, as its user should read it: a city by its address, for example. It is
   * the only thing on the confirming page that whoever asks has not said of themselves.
   */
  placeOf?: (request: RequestHeaders) => string | undefined | Promise<string | undefined>
}

/** {@link DeviceGrantSettings} with their defaults. */
export interface DeviceSettings extends Required<Omit<DeviceGrantSettings, 'placeOf'>> {
  readonly placeOf: DeviceGrantSettings['placeOf'] | undefined
}

/** `undefined` without the option. Throws a `TypeError` if it is wrong. */
export function readDeviceSettings({
  deviceGrant,
}: DeviceGrantOptions): DeviceSettings | undefined {
  if (deviceGrant === undefined) return undefined
  if (typeof deviceGrant !== 'object' || deviceGrant === null) {
    throw new TypeError('deviceGrant must be an object; {} lets devices in by the defaults')
  }
  checkNames('deviceGrant', deviceGrant, {
    ttlSeconds: true,
    numberMatching: true,
    maxOpen: true,
    placeOf: true,
  } satisfies Record<keyof DeviceGrantSettings, true>)
  const { ttlSeconds = 180, numberMatching = false, maxOpen = 10_000, placeOf } = deviceGrant
  checkDuration('deviceGrant.ttlSeconds', ttlSeconds)
  if (ttlSeconds < 30 || ttlSeconds > 600) {
    throw new TypeError('deviceGrant.ttlSeconds must be 30 to 600 seconds')
  }
  checkFlags({ 'deviceGrant.numberMatching': numberMatching })
  checkCount('deviceGrant.maxOpen', maxOpen, { min: 1, of: 'devices' })
  checkFunctions({ 'deviceGrant.placeOf': placeOf })
  return { ttlSeconds, numberMatching, maxOpen, placeOf }
}

/** Without the option: every call says how to have it. */
export function withoutDeviceGrant() {
  const refuse = async (): Promise<never> => {
    throw new AuthError(
      'server_misconfigured',
      'Devices are let in only with the option deviceGrant; set it to {} in createAuth',
    )
  }
  return { start: refuse, look: refuse, decide: refuse, poll: refuse }
}
