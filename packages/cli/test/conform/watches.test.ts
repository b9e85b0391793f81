import { expect, test } from 'vitest'
import { watches } from '../../src/conform/watches.js'

const page = (status: number) => ({
  status,
  headers: { 'content-type': 'text/html' },
  text: '<h1>No</h1>',
  members: {},
})

test.each([404, 405, 501])(
  'what a framework says of a route or a method that is not there is no refusal of a route: %i',
  (status) => {
    const answered = { step: 'PUT /login', answer: page(status) }

    const about = watches.filter((watch) => watch.isAbout(answered)).map(({ of }) => of)

    expect(about).not.toContain('S-ERROR-1')
    expect(about).not.toContain('S-HTTP-12')
    expect(about).not.toContain('S-HTTP-13')
  },
)

test('what it says of a method that is there, is', () => {
  const answered = { step: 'POST /login', answer: page(400) }

  const about = watches.filter((watch) => watch.isAbout(answered)).map(({ of }) => of)

  expect(about).toEqual(expect.arrayContaining(['S-ERROR-1', 'S-HTTP-12', 'S-HTTP-13']))
})
