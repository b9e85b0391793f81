import { randomBytes } from 'node:crypto'
import type { WxFailure } from '../wx.js'
import type { Answer, Callbacks } from './callbacks.js'

/** What `wx.getRandomValues` takes. */
export interface FakeRandomOptions extends Callbacks<FakeRandomResult> {
  length: number
}

export interface FakeRandomResult {
  randomValues: ArrayBuffer
  errMsg: string
}

const maxLength = 1_048_576

/** `wx.getRandomValues`. */
export function createGetRandomValues(surroundings: {
  readonly answer: Answer
  readonly failure: (errMsg: string) => WxFailure
}): (options: FakeRandomOptions) => Promise<FakeRandomResult> | undefined {
  const { answer, failure } = surroundings
  return (options) =>
    answer<FakeRandomResult>(options, (succeed, failWith) => {
      const { length } = options
      if (!Number.isInteger(length) || length < 1 || length > maxLength) {
        return failWith(failure('getRandomValues:fail invalid length'))
      }
      const randomValues = Uint8Array.from(randomBytes(length)).buffer
      succeed({ randomValues, errMsg: 'getRandomValues:ok' })
    })
}
