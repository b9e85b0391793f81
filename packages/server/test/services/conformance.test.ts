import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import type { SessionStore } from '../../src/index.js'
import { storeCases } from '../../src/testing/index.js'
import { clear, type OpenStore, openStore, storePlaces } from './stores.js'

describe.each(storePlaces(inject('services')))('$name', (place) => {
  let open: OpenStore<SessionStore>
  beforeAll(async () => {
    open = await openStore(place)
  })
  afterAll(async () => {
    await open?.close()
    await clear(place)
  })

  const cases = storeCases({ brokenAfter: (calls) => open.brokenAfter(calls) })
  for (const { name, run } of cases) test(name, () => run(open.store))
})
