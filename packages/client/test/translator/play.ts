import { createTranslator } from '@wxlogin/client/backend'
import { type Client, createClient } from '@wxlogin/client/full'
import { outcomes, times } from '../set-up.js'
import type { Contract } from './contracts.js'
import { type Description, descriptionOf } from './descriptions.js'
import { phoneWith, type Seen } from './shop.js'

/** What is checked in every case, besides that all of it settles. */
export const promises = {
  renewal: 'one login or refresh for all',
  code: 'no code is sent twice',
  replay: 'no request is sent more than twice',
  wire: 'nothing of our wire is sent',
}

/** What ten requests, or what stands in the title, came to. */
export interface Row {
  readonly project: string
  readonly title: string
  /** Since the case began. */
  readonly calls: { readonly 'wx.login': number; login: number; refresh: number; requests: number }
  readonly answers: string
  /** What was promised and did not hold. */
  readonly broken: readonly string[]
}

type Lost = 'login' | 'refresh' | undefined

/** A phone, a client with this description, and a backend that keeps the contract. */
async function setUp(contract: Contract, description: Description) {
  let lost: Lost
  const { baseUrl } = contract
  const pathOf = ({ path }: Seen) => path.replace(new URL(baseUrl).pathname.replace(/\/$/, ''), '')
  const kindOf = (request: Seen) => {
    const path = pathOf(request)
    if (contract.login.test(path)) return 'login'
    if (contract.refresh?.test(path)) return 'refresh'
    return contract.logout?.test(path) ? 'logout' : 'requests'
  }
  const { wx, all } = phoneWith((request) => {
    const answer = contract.answer({ ...request, path: pathOf(request) })
    if (lost !== kindOf(request)) return answer
    lost = undefined
    throw new Error('the connection broke')
  })
  wx.control.files.set('photo', 'pixels')
  const { backend, ...options } = description
  const translated = createTranslator({ wx, baseUrl, backend })
  const client = createClient({ baseUrl, wx: translated, ...options })
  return {
    wx,
    client,
    all,
    kindOf,
    lose(kind: Lost) {
      lost = kind
    },
  }
}

type World = Awaited<ReturnType<typeof setUp>> & { readonly contract: Contract }

interface Case {
  readonly title: string
  /** Whether it can happen there. */
  readonly isFor?: (contract: Contract) => unknown
  /** Without a session at first. */
  readonly isCold?: true
  readonly run: (world: World) => Promise<string>
  /** How many logins and refreshes it may take. */
  readonly renewals: (contract: Contract) => readonly [logins: number, refreshes: number]
}

const isSilent = ({ refusal }: Contract) => !refusal
const logsIn = ({ refusal }: Contract) => refusal !== 'login_required'

const ten = async ({ client }: { readonly client: Client }) => {
  const codes = await outcomes(times(10, (index) => client.request({ url: `/orders/${index}` })))
  return [...new Set(codes)]
    .map((code) => `${codes.filter((other) => other === code).length} ${code}`)
    .join(', ')
}

const cases: readonly Case[] = [
  {
    title: 'cold',
    isCold: true,
    isFor: isSilent,
    run: ten,
    renewals: () => [1, 0],
  },
  {
    title: 'refused at first, then login({ input })',
    isCold: true,
    isFor: ({ refusal }) => refusal,
    async run(world) {
      const { client, contract } = world
      const error = await client.request({ url: '/orders' }).catch((error) => error)
      const refused = `${await ten(world)}, ${error.code} ${error.reason}`
      await client.login({ input: contract.input as never })
      return `${refused}; then ${await ten(world)}`
    },
    renewals: (contract) => [logsIn(contract) ? 2 : 1, 0],
  },
  {
    title: "the login's answer is lost",
    isCold: true,
    isFor: isSilent,
    run(world) {
      world.lose('login')
      return ten(world)
    },
    renewals: () => [2, 0],
  },
  {
    title: 'the token is dead',
    run(world) {
      world.contract.expire()
      return ten(world)
    },
    renewals: (contract) => (contract.refresh ? [0, 1] : [logsIn(contract) ? 1 : 0, 0]),
  },
  {
    title: 'its time is over',
    isFor: ({ refresh }) => refresh,
    run(world) {
      pass(1_900_000)
      return ten(world)
    },
    renewals: () => [0, 1],
  },
  {
    title: 'the refresh token is dead too',
    isFor: ({ refresh }) => refresh,
    run(world) {
      world.contract.end()
      return ten(world)
    },
    renewals: () => [1, 1],
  },
  {
    title: "the refresh's answer is lost",
    isFor: ({ refresh }) => refresh,
    run(world) {
      world.contract.expire()
      world.lose('refresh')
      return ten(world)
    },
    renewals: () => [1, 2],
  },
  {
    title: 'somebody else logs in',
    isFor: logsIn,
    run(world) {
      world.contract.end()
      world.contract.setUser(2)
      return ten(world)
    },
    renewals: ({ refresh }) => [1, refresh ? 1 : 0],
  },
  {
    title: 'a wrong password',
    isFor: ({ mistake }) => mistake,
    async run(world) {
      const { client, contract } = world
      const input = contract.mistake as never
      const error = await client.login({ input }).catch((error) => error)
      return `${error.code} ${error.reason}; then ${await ten(world)}`
    },
    renewals: () => [1, 0],
  },
  {
    title: 'upload, download, socket',
    async run({ client, wx }) {
      await client.uploadFile({ url: '/upload', filePath: 'photo', name: 'file' })
      await client.downloadFile({ url: '/file' })
      await client.connectSocket({ url: '/live' })
      const transfers = wx.control.requests.filter(({ kind }) => kind !== 'request')
      const carriers = [...transfers, wx.control.sockets[0]].map((one) => JSON.stringify(one))
      const withToken = carriers.filter((one) => /access-\d/.test(one))
      return `${withToken.length} of 3 with the token`
    },
    renewals: () => [0, 0],
  },
  {
    title: 'after logout()',
    async run(world) {
      await world.client.logout()
      return ten(world)
    },
    renewals: () => [0, 0],
  },
]

let passedMs = 0
const now = Date.now

function pass(ms: number): void {
  passedMs += ms
}

/** Plays every case with every contract; the clock of the process is moved meanwhile. */
export async function play(
  contracts: readonly (() => Contract)[],
  root?: string,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  Date.now = () => now() + passedMs
  try {
    for (const create of contracts) {
      for (const one of cases) {
        const contract = create()
        if (one.isFor && !one.isFor(contract)) continue
        rows.push(await playOne(one, contract, await descriptionOf(contract.name, root)))
      }
    }
  } finally {
    Date.now = now
  }
  return rows
}

async function playOne(
  { title, isCold, run, renewals }: Case,
  contract: Contract,
  description: Description,
): Promise<Row> {
  const world = { ...(await setUp(contract, description)), contract }
  const { wx, client, all, kindOf } = world
  if (!isCold) {
    // Refused at first, where it is, and finished as a page would.
    await client.login().catch(() => undefined)
    if (contract.refusal) await client.login({ input: contract.input as never })
    // Older than what is never refreshed.
    pass(60_000)
  }
  const seenBefore = all.length
  const loginsBefore = wx.control.calls.login
  const answers = await run(world)
  const seen = all.slice(seenBefore)
  const count = (kind: string) => seen.filter((request) => kindOf(request) === kind).length
  const calls = {
    'wx.login': wx.control.calls.login - loginsBefore,
    login: count('login'),
    refresh: count('refresh'),
    requests: count('requests'),
  }
  return {
    project: contract.name,
    title,
    calls,
    answers,
    broken: brokenPromises(all, seen, calls, renewals(contract), kindOf),
  }
}

function brokenPromises(
  all: readonly Seen[],
  seen: readonly Seen[],
  { login, refresh }: Row['calls'],
  [logins, refreshes]: readonly [number, number],
  kindOf: (request: Seen) => string,
): readonly string[] {
  const codes = all
    .filter((request) => kindOf(request) === 'login')
    .map(({ body }) => body.loginCode ?? body.code)
    .filter((code) => String(code).startsWith('code-'))
  const sent = (path: string) => seen.filter((other) => other.path.split('?')[0] === path).length
  const checks: readonly (readonly [string, boolean])[] = [
    [promises.renewal, login <= logins && refresh <= refreshes],
    [promises.code, new Set(codes).size === codes.length],
    [
      promises.replay,
      seen.every(({ path }) => !/orders\/\d/.test(path) || sent(path.split('?')[0] ?? '') <= 2),
    ],
    [promises.wire, !/wxlogin|access_token|app_id/.test(JSON.stringify(all))],
  ]
  return checks.filter(([, holds]) => !holds).map(([name]) => name)
}
