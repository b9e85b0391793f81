import { fieldsOf } from './answers.js'
import type { FakeWeChatFault } from './faults.js'
import type { FakeWeChatRequest, Outcome } from './transports.js'

/** A call that the emulated WeChat received. */
export interface FakeWeChatCall {
  readonly method: string
  readonly path: string
  /** Secrets, codes, tokens, signatures, openids and orders are `[redacted]`. */
  readonly query: Readonly<Record<string, string>>
  /** The names of the members of a JSON body, without their values; absent for any other body. */
  readonly fields?: readonly string[]
  /** The HTTP status of the answer; absent if the connection was dropped or no answer came. */
  readonly status?: number
  /** The errcode of the answer, 0 for a success; absent if the answer was not WeChat's JSON. */
  readonly errcode?: number
  readonly fault?: FakeWeChatFault
  /** Seconds since the epoch, with a fraction. */
  readonly receivedAt: number
}

export function callOf(
  { method, path, query, body }: FakeWeChatRequest,
  { status, errcode }: Outcome,
  fault: FakeWeChatFault | undefined,
  receivedAt: number,
): FakeWeChatCall {
  const fields = fieldsOf(body)
  return {
    method,
    path,
    query: redactQuery(query),
    ...(fields !== undefined && { fields: Object.keys(fields) }),
    ...(status !== undefined && { status }),
    ...(errcode !== undefined && { errcode }),
    ...(fault !== undefined && { fault }),
    receivedAt,
  }
}

function redactQuery(query: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      secretNames.test(name) ? '[redacted]' : value,
    ]),
  )
}

// Parts of names, so that tokens and ids of other endpoints are covered as well.
const secretNames =
  /secret|code|token|ticket|sign|pay_?sig|key|openp?id|unionid|phone|transaction|trade/i
