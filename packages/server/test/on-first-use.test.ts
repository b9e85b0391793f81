import { expect, test } from 'vitest'
import { onFirstUse, withMethodsOf } from '../src/on-first-use.js'

test('what is loaded on first use is loaded once, for all who ask at once', async () => {
  let loads = 0
  const loaded = onFirstUse(async () => ({ number: ++loads }))

  const [first, second] = await Promise.all([loaded(), loaded()])

  expect(first).toBe(second)
  expect(await loaded()).toBe(first)
  expect(loads).toBe(1)
})

test('a load that failed is tried again with the next call', async () => {
  let isThere = false
  const { greet } = withMethodsOf<{ greet(name: string): Promise<string> }>(
    async () => {
      if (!isThere) throw new Error('the file is not there')
      return { greet: async (name) => `hello ${name}` }
    },
    { greet: true },
  )
  await expect(greet('Li')).rejects.toThrow('the file is not there')

  isThere = true

  await expect(greet('Li')).resolves.toBe('hello Li')
})
