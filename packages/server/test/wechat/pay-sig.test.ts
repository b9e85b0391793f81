import { expect, test } from 'vitest'
import { signPayment, signSession } from '../../src/wechat/index.js'
import {
  paySignatures,
  secretSignature,
  userSignatures,
  wrongOfDecodedKey,
} from './payment-vectors.js'

test.each(paySignatures)('the payment signature $name', ({ key, uri, body, signature }) => {
  expect(signPayment(key, uri, body)).toBe(signature)
})

test.each([...userSignatures, { name: 'of 1.0, under the secret', ...secretSignature }])(
  'the signature $name',
  ({ key, text, signature }) => {
    expect(signSession(key, text)).toBe(signature)
  },
)

test('the key is used as it is written, and not decoded', () => {
  const { key, text, signature } = wrongOfDecodedKey

  expect(signSession(key, text)).not.toBe(signature)
})
