import { fieldsOf } from './answers.js'
import type { FakeWeChatFault } from './faults.js'
import type { FakeWeChatRequest, Outcome } from './transports.js'

/** A call that the emulated WeChat received. */
export interface FakeWeChatCall {
  readonly method: string
  readonly path: string
  /** Secrets, codes, tokens, signatures, openids and orders read `[redacted]`. */
  readonly query: Readonly<Record<string, string>>
  /** The names of the members of a JSON body, without their values; absent for any other body. */
  readonly fields?: readonly string[]
  /** The HTTP status answered; absent when the connection was dropped or no answer came. */
  readonly status?: number
  /** The errcode answered, 0 for a success; absent when the answer was not WeChat's JSON. */
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
    query: redactError(query),
    ...(fields !== undefined && { fields: Object.keys(fields) }),
    ...(status !== undefined && { status }),
    ...(errcode !== undefined && { errcode }),
    ...(fault !== undefined && { fault }),
    receivedAt,
  }
}

function redactError(query: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      secretNames.test(name) ? '[redacted]' : value,
    ]),
  )
}

// By parts of names, so that what other endpoints call their tokens and ids is covered as well.
const secretNames = /secret|code|token|ticket|sign|key|openp?id|unionid|phone|transaction|trade/i
