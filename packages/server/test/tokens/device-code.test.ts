import { expect, test } from 'vitest'
import { createKeyRing, hmacKeys } from '../../src/crypto/key-ring.js'
import { createDeviceCodes } from '../../src/tokens/device-code.js'
import { createTokenSigner } from '../../src/tokens/signed-token.js'
import { testSecret } from '../set-up.js'

// Whoever has the secret can sign anything, an earlier or a later version too, so what is signed is looked at as well.

const { device } = createKeyRing({ secret: testSecret })
const codes = createDeviceCodes(device)
const signer = createTokenSigner(hmacKeys(device), 'dc+jwt')
const content = { scene: 'scene', aud: 'wx0000000000000001', end: 1_800_000_000 }

test('a device code holds its scene, its app and its end', async () => {
  const code = await codes.issue({ scene: 'scene', appId: content.aud, endsAt: content.end })

  expect(code).toBe(await signer.sign(content))
  expect(await codes.read(code)).toEqual({
    scene: 'scene',
    appId: content.aud,
    endsAt: content.end,
  })
})

test.each([
  { scene: 7 },
  { scene: undefined },
  { aud: ['wx0000000000000001'] },
  { aud: undefined },
  { end: '1800000000' },
  { end: undefined },
])('one that was signed with %o is none', async (changes) => {
  expect(await codes.read(await signer.sign({ ...content, ...changes }))).toBeUndefined()
})
