import type { AuthErrorCode } from '../errors.js'
import { type ErrcodeMeaning, errcodesAnywhere, errcodesByEndpoint } from './errcodes.js'
import { gameErrcodes, paymentErrcodes } from './payment-errcodes.js'
import { webCodeErrcodes, webCodePath } from './web-code.js'
import { wecomErrcodes } from './wecom-exchange.js'

export type { AuthErrorCode } from '../errors.js'

/** An errcode of WeChat that this library knows. */
export interface KnownErrcode {
  readonly errcode: number
  /** What the call throws. */
  readonly code: AuthErrorCode
  /** One sentence for the operator: what is wrong, and what to do. */
  readonly hint: string
  readonly retryAfterSeconds?: number
  /** Where it means this, if not everywhere: a method of `WeChat`, the path of an API, or `wecom`. */
  readonly endpoint?: string
}

/** Every errcode that this library knows, for tools that explain them. One may mean something else at an endpoint. */
export function knownErrcodes(): readonly KnownErrcode[] {
  return [
    ...rowsOf(errcodesAnywhere),
    ...[...errcodesByEndpoint].flatMap(([endpoint, errcodes]) => rowsOf(errcodes, endpoint)),
    ...rowsOf(webCodeErrcodes, webCodePath),
    ...rowsOf(wecomErrcodes, 'wecom'),
    ...rowsOf(paymentErrcodes, '/xpay/…'),
    ...rowsOf(gameErrcodes, '/wxa/game/…'),
  ]
}

function rowsOf(errcodes: ReadonlyMap<number, ErrcodeMeaning>, endpoint?: string): KnownErrcode[] {
  return [...errcodes].map(([errcode, meaning]) => ({
    errcode,
    ...meaning,
    ...(endpoint !== undefined && { endpoint }),
  }))
}
