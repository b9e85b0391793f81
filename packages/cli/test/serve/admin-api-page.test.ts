import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { root } from '../set-up.js'
import { setUpAdmin } from './admin-set-up.js'

const page = readFileSync(`${root}docs/reference/admin-api.md`, 'utf8')

/** Each call on the page with its answer, where one stands below it. */
const calls = [
  ...page.matchAll(
    /^```sh\ncurl .*http:\/\/127\.0\.0\.1:8081(\S+) \\\n(.*) \\\n {2}-d '(.*)'\n```(?:\n\n```json\n([\s\S]*?)\n```)?/gm,
  ),
].map(([, path = '', headers = '', body = '', answer]) => ({ path, headers, body, answer }))

/** The names and types of what JSON has, its values left out. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]))
}

describe('the page of the admin API says what it does', () => {
  test.each(calls)('$path $body', async ({ path, headers, body, answer }) => {
    const { ask, auth, wechat } = await setUpAdmin({
      claims: () => ({ role: 'member' }),
      routes: {
        'POST /cgi-bin/message/subscribe/send': () => ({ errcode: 0, errmsg: 'ok', msgid: 1 }),
      },
    })
    const { access_token } = await auth.login({
      code: wechat.codeFor('person 7'),
      input: '7',
      device: 'iPhone 15',
    })
    const session = await auth.authenticate(`Bearer ${access_token}`)
    const ticket = await auth.tickets.issue(session, { audience: 'https://shop.example.com' })
    const sent = JSON.parse(body)
    const named = {
      ...sent,
      ...('session_id' in sent && { session_id: session.id }),
      ...('ticket' in sent && { ticket }),
    }

    const answered = await ask(path, named)

    expect(headers).toContain(
      `-H "authorization: Bearer $WXLOGIN_ADMIN_KEY" -H 'content-type: application/json'`,
    )
    expect([answered.status, answered.text]).toEqual([200, expect.any(String)])
    if (answer === undefined) return
    expect(shapeOf(answered.body)).toEqual(shapeOf(JSON.parse(answer)))
  })

  test('it has every route, and each has an example', async () => {
    const headings = [...page.matchAll(/^## `POST (\S+)`$/gm)].map(([, path]) => path)
    const { ask } = await setUpAdmin()

    expect(headings).toHaveLength(9)
    expect([...new Set(calls.map(({ path }) => path))]).toEqual(headings)
    for (const path of headings) {
      // Not `no_route`: what it takes is said.
      const { body } = await ask(String(path), { nothing: 'such' })
      expect(body.error_description).toMatch(/^The body may have /)
    }
  })

  test('it has every member that a route takes', async () => {
    const { ask } = await setUpAdmin()

    for (const { path } of calls) {
      const { body } = await ask(path, { nothing: 'such' })
      const said = /may have (.*), and nothing else/.exec(String(body.error_description))?.[1]
      const section = page.split(/^## /m).find((part) => part.startsWith(`\`POST ${path}\``)) ?? ''
      for (const member of said?.split(', ') ?? []) {
        const isThere = section.includes(`\`${member}\``) || section.includes(`"${member}"`)
        // The file is asked for in the same way as JSON, which stands in the section before.
        expect([path, member, isThere || path === '/wechat/file']).toEqual([path, member, true])
      }
    }
  })
})
