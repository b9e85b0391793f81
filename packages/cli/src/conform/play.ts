import { setTimeout as delay } from 'node:timers/promises'
import type { FakeWeChat } from '@wxlogin/server/testing'
import type { Mask } from '../dev/mask.js'
import type { Text } from '../text.js'
import { differences, memberDifferences, missingIn } from './compare.js'
import { type Answer, exchange, type NoAnswer } from './exchange.js'
import type { Among, Expectation, Offer, Scenario, Send, Step, Template } from './scenario.js'
import { requirementsOf } from './scenarios.js'
import { forged, isSignedBy, readJwt } from './tokens.js'
import { createValues, type Values } from './values.js'
import { type Answered, watches } from './watches.js'

/** Where scenarios are played. */
export interface Stage {
  /** Of this run: its people are new to a server that remembers those of an earlier one. */
  readonly run: string
  readonly wechat: FakeWeChat
  /** Of the login routes. */
  readonly serverUrl: string
  /** A route for users who are logged in; without it `POST /phone` is one. */
  readonly guardedUrl: string | undefined
  /** Where the app ends the sessions of a user. */
  readonly revokeUrl: string | undefined
  readonly prefetchUrl: string | undefined
  readonly offers: ReadonlySet<Offer>
  readonly refusedInput: unknown
  readonly mask: Mask
}

/** One expectation that was looked at. */
export interface Check {
  readonly requirement: string
  readonly scenario: string
  /** What was done, `POST /refresh` for example. */
  readonly step: string
  readonly failure?: { readonly expected: string; readonly came: string }
}

/** An expectation that could not be looked at. */
export interface Unreached {
  readonly requirement: string
  readonly scenario: string
  readonly why: Text
}

export interface Played {
  readonly checks: readonly Check[]
  readonly unreached: readonly Unreached[]
}

/** Plays one scenario, to its end if it can. Never rejects for what the server does. */
export async function play(scenario: Scenario, stage: Stage): Promise<Played> {
  const { name, needs = [], without, steps } = scenario
  const { wechat, mask, serverUrl, offers } = stage
  const checks: Check[] = []
  const unreached: Unreached[] = []
  const lacking = needs.find((offer) => !offers.has(offer))
  if (lacking !== undefined) {
    leave(steps, lacks[lacking])
    return { checks, unreached }
  }

  if (without !== undefined && offers.has(without)) {
    leave(steps, nothingLeftOut)
    return { checks, unreached }
  }

  const { app } = wechat
  const told = { appId: app.appId, refusedInput: stage.refusedInput }
  const values = createValues({ name: `${stage.run}/${name}`, wechat, told })
  const callsBefore = wechat.calls.length
  const answers: Answered[] = []
  // Why something could not be made that later steps refer to.
  const notMade = new Map<string, Text>()

  function note(of: Expectation['of'], step: string, expected: readonly string[], came: string) {
    for (const requirement of [of].flat()) {
      const failure =
        expected.length === 0 ? {} : { failure: { expected: expected.join(', '), came } }
      checks.push({ requirement, scenario: name, step, ...failure })
    }
  }

  function leave(left: readonly Step[], why: Text) {
    for (const requirement of left.flatMap((step) => requirementsOf(step))) {
      unreached.push({ requirement, scenario: name, why })
    }
  }

  async function send(step: Send): Promise<Answer | NoAnswer> {
    const [method = '', path = ''] = step.send.split(' ')
    // A phone number is for users who are logged in, and so is the route that was told.
    const isPhone = path === 'guarded' && stage.guardedUrl === undefined
    const body = isPhone ? { code: '$phoneCode.who' } : step.body
    const text = step.text === undefined ? undefined : values.text(step.text)
    const outcome = await exchange({
      method: isPhone ? 'POST' : method,
      url: urlOf(path),
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(step.key !== undefined && { 'idempotency-key': values.text(step.key) }),
        ...Object.fromEntries(
          Object.entries(step.headers ?? {}).map(([header, value]) => [header, values.text(value)]),
        ),
      },
      body:
        text?.padEnd(step.bytes ?? 0) ??
        (body === undefined ? undefined : JSON.stringify(values.filled(body))),
    })
    if ('failure' in outcome) return outcome
    answers.push({ step: step.send, answer: outcome })
    if (step.as !== undefined) values.keep(step.as, outcome.members)
    return outcome
  }

  function urlOf(path: string): string {
    if (path === 'guarded') return stage.guardedUrl ?? `${serverUrl}/phone`
    const filled = values.text(path)
    if (!filled.startsWith('prefetch')) return serverUrl + filled
    return `${stage.prefetchUrl}${filled.slice('prefetch'.length)}`
  }

  function shown(outcome: Answer | NoAnswer, headers: readonly string[] = []): string {
    if ('failure' in outcome) return outcome.failure
    const { status, text } = outcome
    const masked = mask.body(Buffer.from(text), outcome.headers['content-type']) ?? '(no text)'
    const short = masked.replace(/\s*\n\s*/g, ' ').slice(0, 300)
    const seen = mask.headers(outcome.headers)
    const named = headers.map((header) => `${header}: ${seen[header.toLowerCase()] ?? '(none)'}`)
    return [`status ${status}`, ...named, short].filter((part) => part !== '').join(', ')
  }

  async function sendAlone(step: Send): Promise<void> {
    const outcome = await send(step)
    for (const expectation of step.expect ?? []) {
      const wanted =
        'failure' in outcome ? ['an answer'] : differences(expectation, outcome, values)
      note(
        expectation.of,
        step.send,
        wanted,
        shown(outcome, Object.keys(expectation.headers ?? {})),
      )
    }
  }

  async function sendTogether(
    sends: readonly Send[],
    expectations: readonly Among[],
  ): Promise<void> {
    const outcomes = await Promise.all(sends.map(send))
    const came = outcomes.map((outcome) => shown(outcome)).join(' · ')
    const all = outcomes.flatMap((outcome) => ('failure' in outcome ? [] : [outcome]))
    for (const { of, count, are = {}, same } of expectations) {
      const fitting = all.filter((answer) => differences(are, answer, values).length === 0)
      const good = all.filter(({ status }) => status === 200)
      const kinds = new Set(good.map(({ members }) => (same === undefined ? 0 : members[same])))
      const wanted = [
        ...(count === undefined || fitting.length === count
          ? []
          : [`${count} of ${sends.length} with ${inWords(are)}`]),
        ...(kinds.size > 1 ? [`the same ${same}`] : []),
      ]
      note(of, `${sends[0]?.send} × ${sends.length}`, wanted, came)
    }
  }

  async function take(step: Step): Promise<void> {
    if ('send' in step) return sendAlone(step)
    if ('together' in step) return sendTogether(step.together, step.expect)
    if ('blocked' in step) return wechat.block(values.text(`$person.${step.blocked}`))
    if ('calls' in step) {
      const calls = wechat.calls
        .slice(callsBefore)
        .filter(({ path }) => path === codeExchange).length
      const wanted = calls === step.calls ? [] : [`${step.calls} calls to WeChat`]
      return note(step.of, 'calls to WeChat', wanted, `${calls}`)
    }
    if ('seconds' in step) return delay(Number(values.text(step.seconds)) * 1000)
    if ('forge' in step) {
      const keys = step.keys === undefined ? undefined : values.filled(step.keys)
      const token = forged(values.text(step.from), step.forge, keys)
      if (token !== undefined) values.keep(step.as, { token })
      else notMade.set(step.as, noJwt)
      return
    }
    if ('token' in step) {
      const token = values.text(step.token)
      const { header = {}, claims = {} } = readJwt(token) ?? {}
      for (const { of, isSigned, ...expected } of step.expect) {
        const wanted = [
          ...memberDifferences(expected.header ?? {}, header, values),
          ...memberDifferences(expected.claims ?? {}, claims, values),
          ...(isSigned && !isSignedBy(token, Object(values.filled(step.keys)))
            ? ['signed with a published key']
            : []),
        ]
        const came = mask.body(Buffer.from(JSON.stringify({ header, claims })), 'application/json')
        note(of, 'access_token', wanted, (came ?? '').replace(/\s*\n\s*/g, ' ').slice(0, 400))
      }
      return
    }
    if ('revoke' in step) {
      await exchange({
        method: 'POST',
        url: String(stage.revokeUrl),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ user_id: values.text(step.revoke) }),
      })
      return
    }
    wechat.recover()
    if (step.wechat !== 'well') wechat.fail(step.wechat, { times: step.times ?? 1 })
  }

  for (const [place, step] of steps.entries()) {
    const missing = missingOf(step, values)
    if (missing === undefined) {
      await take(step)
      continue
    }
    const reason = notMade.get(missing.split('.')[0] ?? '')
    if (reason) {
      leave([step], reason)
      continue
    }
    const before = steps.slice(0, place).flatMap((one) => ('send' in one ? [one.send] : []))
    leave([step], {
      en: `it needs ${missing}, which did not come (after ${before.at(-1) ?? 'nothing'})`,
      zh: `需要 ${missing}，但没有得到（在 ${before.at(-1) ?? '开始'} 之后）`,
    })
  }
  wechat.recover()

  const secrets = { ...values.secrets(), appSecret: app.appSecret }
  for (const { of, isAbout, expected } of watches) {
    const own = answers.filter(isAbout)
    const found = own.find(({ answer }) => expected(answer, secrets) !== undefined)
    const wanted = found && expected(found.answer, secrets)
    const headers = Object.keys(found?.answer.headers ?? {}).filter((name) =>
      shownHeaders.test(name),
    )
    if (found && wanted !== undefined) note(of, found.step, [wanted], shown(found.answer, headers))
    else if (own.length > 0) note(of, 'every answer', [], '')
  }
  return { checks, unreached }
}

/** Logging in at WeChat; an app may call for other things as well. */
const codeExchange = '/sns/jscode2session'

/** Those that watches look at. */
const shownHeaders = /^(cache-control|content-type|location|retry-after|www-authenticate)$/

const nothingLeftOut: Text = {
  en: 'nothing is left out',
  zh: '没有省略的接口',
}

const noJwt: Text = {
  en: 'the access token is no JWT, so it has no such parts',
  zh: 'access_token 不是 JWT，没有可改动的部分',
}

const lacks: Readonly<Record<Offer, Text>> = {
  phone: { en: 'the server has no POST /phone', zh: '服务器没有 POST /phone' },
  jwks: { en: 'the server has no GET /jwks.json', zh: '服务器没有 GET /jwks.json' },
  device: { en: 'the server has no POST /device', zh: '服务器没有 POST /device' },
  numbers: {
    en: 'the server has users compare no number',
    zh: '服务器不要求用户核对数字',
  },
  guarded: {
    en: 'no --protected was given, and the server has no POST /phone',
    zh: '没有给出 --protected，服务器也没有 POST /phone',
  },
  revoke: { en: 'no --revoke was given', zh: '没有给出 --revoke' },
  refused: { en: 'no --refused-input was given', zh: '没有给出 --refused-input' },
  prefetch: { en: 'no --prefetch was given', zh: '没有给出 --prefetch' },
}

function missingOf(step: Step, values: Values): string | undefined {
  if ('send' in step) return missingOfSend(step, values)
  if ('together' in step) {
    return step.together.map((one) => missingOfSend(one, values)).find((one) => one !== undefined)
  }
  if ('forge' in step) return values.missing([step.from, step.keys ?? ''])
  if ('token' in step) return values.missing([step.token, step.keys])
  if ('revoke' in step) return values.missing(step.revoke)
  if ('seconds' in step) return values.missing(step.seconds)
  return undefined
}

function missingOfSend(
  { send, body, text, key, headers, expect = [] }: Send,
  values: Values,
): string | undefined {
  const templates: Template[] = [send, body ?? '', text ?? '', key ?? '', { ...headers }]
  const inExpected = expect.map(({ members }) => missingIn(members, values))
  return values.missing(templates) ?? inExpected.find((one) => one !== undefined)
}

function inWords({ status, members = {} }: Omit<Among, 'of'>['are'] & object): string {
  return [`status ${[status].flat().join(' / ')}`, ...Object.keys(members)].join(', ')
}
