import { setTimeout as delay } from 'node:timers/promises'
import type { Text } from '../text.js'
import { differences, memberDifferences } from './compare.js'
import { exchange } from './exchange.js'
import { createLedger, type Ledger, type Played } from './ledger.js'
import { missingOf } from './missing.js'
import { didNotCome, lacks, noJwt, nothingLeftOut, notRevoked } from './reasons.js'
import type { Expected, Scenario, Step } from './scenario.js'
import { createSender, type Sender } from './sender.js'
import type { Stage } from './stage.js'
import { forged, isSignedBy, readJwt } from './tokens.js'
import { createValues, type Values } from './values.js'
import { watches } from './watches.js'

type StepWith<Member extends string> = Extract<Step, { readonly [name in Member]: unknown }>

/** Plays one scenario, to its end if it can. Never rejects for what the server does. */
export async function play(scenario: Scenario, stage: Stage): Promise<Played> {
  const { name, needs = [], without, steps } = scenario
  const { wechat, offers } = stage
  const ledger = createLedger(name)
  const lacking = needs.find((offer) => !offers.has(offer))
  const isElsewhere = without !== undefined && offers.has(without)
  if (lacking !== undefined || isElsewhere) {
    ledger.leave(steps, lacking === undefined ? nothingLeftOut : lacks[lacking])
    return ledger
  }

  const told = { appId: wechat.app.appId, refusedInput: stage.refusedInput }
  const values = createValues({ name: `${stage.run}/${name}`, wechat, told })
  const sender = createSender(stage, values)
  const take = createTaking({ stage, values, sender, ledger })
  for (const [place, step] of steps.entries()) {
    const missing = missingOf(step, values)
    if (missing === undefined) {
      const obstacle = await take(step)
      if (obstacle === undefined) continue
      ledger.leave(steps.slice(place), obstacle)
      break
    }
    const before = steps.slice(0, place).flatMap((one) => ('send' in one ? [one.send] : []))
    ledger.leave([step], values.whyNot(missing) ?? didNotCome(missing, before.at(-1)))
  }
  wechat.recover()
  watch(stage, { values, sender, ledger })
  return ledger
}

interface Taking {
  readonly stage: Stage
  readonly values: Values
  readonly sender: Sender
  readonly ledger: Ledger
}

/** Takes one step; returns why none can be taken after it, if that is so. */
function createTaking({ stage, values, sender, ledger }: Taking) {
  const { wechat, mask } = stage
  const { send, shown } = sender
  const { note } = ledger
  const callsBefore = wechat.calls.length

  async function sendAlone(step: StepWith<'send'>): Promise<void> {
    const outcome = await send(step)
    for (const expectation of step.expect ?? []) {
      const { of, headers = {} } = expectation
      const wanted =
        'failure' in outcome ? ['an answer'] : differences(expectation, outcome, values)
      note(of, step.send, wanted, shown(outcome, Object.keys(headers)))
    }
  }

  async function sendTogether({ together, expect }: StepWith<'together'>): Promise<void> {
    const outcomes = await Promise.all(together.map(send))
    const came = outcomes.map((outcome) => shown(outcome)).join(' · ')
    const all = outcomes.flatMap((outcome) => ('failure' in outcome ? [] : [outcome]))
    for (const { of, count, are = {}, same } of expect) {
      const fitting = all.filter((answer) => differences(are, answer, values).length === 0)
      const good = all.filter(({ status }) => status === 200)
      const kinds = new Set(good.map(({ members }) => (same === undefined ? 0 : members[same])))
      const isRight = count === undefined || fitting.length === count
      const wanted = [
        ...(isRight ? [] : [`${count} of ${together.length} with ${inWords(are)}`]),
        ...(kinds.size > 1 ? [`the same ${same}`] : []),
      ]
      note(of, `${together[0]?.send} × ${together.length}`, wanted, came)
    }
  }

  function countCalls({ calls: wanted, of }: StepWith<'calls'>): void {
    const own = wechat.calls.slice(callsBefore).filter(({ path }) => path === codeExchange)
    const expected = own.length === wanted ? [] : [`${wanted} calls to WeChat`]
    note(of, 'calls to WeChat', expected, `${own.length}`)
  }

  function forge({ forge: how, from, as, keys }: StepWith<'forge'>): void {
    const token = forged(values.text(from), how, keys === undefined ? keys : values.filled(keys))
    if (token === undefined) values.lack(as, noJwt)
    else values.keep(as, { token })
  }

  function lookAt(step: StepWith<'token'>): void {
    const token = values.text(step.token)
    const { header = {}, claims = {} } = readJwt(token) ?? {}
    const came = mask.body(Buffer.from(JSON.stringify({ header, claims })), 'application/json')
    const line = (came ?? '').replace(/\s*\n\s*/g, ' ').slice(0, 400)
    for (const { of, isSigned, ...expected } of step.expect) {
      const isForeign = isSigned && !isSignedBy(token, Object(values.filled(step.keys)))
      const wanted = [
        ...memberDifferences(expected.header ?? {}, header, values),
        ...memberDifferences(expected.claims ?? {}, claims, values),
        ...(isForeign ? ['signed with a published key'] : []),
      ]
      note(of, 'access_token', wanted, line)
    }
  }

  async function revoke({ revoke: user }: StepWith<'revoke'>): Promise<Text | undefined> {
    const outcome = await exchange({
      method: 'POST',
      url: String(stage.revokeUrl),
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user_id: values.text(user) }),
    })
    const isDone = 'status' in outcome && outcome.status < 300
    return isDone ? undefined : notRevoked(shown(outcome))
  }

  return async (step: Step): Promise<Text | undefined> => {
    if ('send' in step) await sendAlone(step)
    else if ('together' in step) await sendTogether(step)
    else if ('blocked' in step) wechat.block(values.text(`$person.${step.blocked}`))
    else if ('calls' in step) countCalls(step)
    else if ('seconds' in step) await delay(Number(values.text(step.seconds)) * 1000)
    else if ('forge' in step) forge(step)
    else if ('token' in step) lookAt(step)
    else if ('revoke' in step) return revoke(step)
    else {
      wechat.recover()
      if (step.wechat !== 'well') wechat.fail(step.wechat, { times: step.times ?? 1 })
    }
    return undefined
  }
}

/** What has to hold of every answer that came. */
function watch({ wechat }: Stage, { values, sender, ledger }: Omit<Taking, 'stage'>): void {
  const secrets = { ...values.secrets(), appSecret: wechat.app.appSecret }
  for (const { of, isAbout, expected } of watches) {
    const own = sender.answers.filter(isAbout)
    const wrong = own.find(({ answer }) => expected(answer, secrets) !== undefined)
    if (wrong) {
      const { step, answer } = wrong
      const headers = Object.keys(answer.headers).filter((name) => shownHeaders.test(name))
      const wanted = expected(answer, secrets) ?? ''
      ledger.note(of, step, [wanted], sender.shown(answer, headers))
    } else if (own.length > 0) {
      ledger.note(of, 'every answer', [], '')
    }
  }
}

/** Logging in at WeChat; an app may call for other things as well. */
const codeExchange = '/sns/jscode2session'

/** Those that watches look at. */
const shownHeaders = /^(cache-control|content-type|location|retry-after|www-authenticate)$/

function inWords({ status, members = {} }: Expected): string {
  return [`status ${[status].flat().join(' / ')}`, ...Object.keys(members)].join(', ')
}
