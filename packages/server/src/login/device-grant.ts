import { randomInt } from 'node:crypto'
import type { DeviceAnswer, DeviceRequestAnswer, TokenAnswer } from '@wxlogin/shared'
import { createBoundedMap } from '../bounded-map.js'
import type { KeyRing } from '../crypto/key-ring.js'
import { keyHashOf, randomId } from '../crypto/random-id.js'
import { AuthError } from '../errors.js'
import type { DeviceDecidedEvent, EmitEvent } from '../events.js'
import { callHook, type Hooks } from '../hooks.js'
import { type ArgumentRules, checkArguments } from '../option-checks.js'
import type { RequestHeaders } from '../request.js'
import { accountOf, isLive, type LiveRecord, loginRetrySeconds, type Session } from '../session.js'
import type { GuardedStore } from '../sessions/guarded-store.js'
import { checkDevice, type Sessions } from '../sessions/sessions.js'
import type { DeviceCodes } from '../tokens/device-code.js'
import type { ServedApps } from '../wechat/apps.js'
import type { DeviceSettings } from './device-option.js'
import type { OpenAgain } from './open-again.js'
import type { OpenSession } from './open-session.js'

/** What a device says when it asks to be let in. Together it has at most some 400 bytes. */
export interface DeviceRequestInput {
  /** May be left out if there is just one mini program. */
  readonly appId?: string
  /** What the device calls itself, up to 128 characters; later the name of the session in the user's list. */
  readonly clientName?: string
  /** The page that asks, up to 128 characters. */
  readonly page?: string
  /** From where, up to 128 characters, as your server knows it. */
  readonly place?: string
}

/** What is asked with a scene by a user who is signed in. */
export interface DeviceScene<Claims extends object = object> {
  readonly session: Session<Claims>
  /** What the phone has scanned. */
  readonly scene: string
}

export interface DeviceDecisionInput<Claims extends object = object> extends DeviceScene<Claims> {
  readonly approve: boolean
  /** What the device shows, with `numberMatching`. */
  readonly number?: string
}

export interface DevicePollInput {
  readonly deviceCode: string
  /** 22 to 64 characters of `[A-Za-z0-9_-]`, the same for all polls of one device code. */
  readonly idempotencyKey: string
}

/** The phone lets a device in: what the routes below `/device` call. All throw {@link AuthError}. */
export interface DeviceGrant<Claims extends object = object> {
  /**
   * What a device shows, and polls with. Throws `rate_limited` beyond `maxOpen`. With the headers of the device's request
   * `placeOf` is asked where it comes from, unless `place` is given.
   */
  start(input?: DeviceRequestInput, request?: RequestHeaders): Promise<DeviceAnswer>
  /** What asks, for the user who is to decide. Throws `expired_token` when it is unknown, over or decided. */
  look(input: DeviceScene<Claims>): Promise<DeviceRequestAnswer>
  /** The user's decision, of which there is one; the same again is no error. Throws `expired_token` like `look`. */
  decide(input: DeviceDecisionInput<Claims>): Promise<void>
  /**
   * The tokens, once they are granted; `authorization_pending` until then, and `slow_down` for polls that are too fast. The
   * `request` is for `claims` alone.
   */
  poll(input: DevicePollInput, request?: RequestHeaders): Promise<TokenAnswer>
}

export interface DeviceGrantNeeds<Claims extends object> {
  readonly settings: DeviceSettings
  readonly keys: KeyRing
  readonly hooks: Hooks<Claims>
  readonly store: GuardedStore
  readonly sessions: Sessions<Claims>
  readonly openSession: OpenSession<Claims>
  readonly openAgain: OpenAgain<Claims>
  readonly deviceCodes: DeviceCodes
  readonly apps: ServedApps
  readonly now: () => number
  readonly emit: EmitEvent
}

/** What waits in the store under a scene. */
interface Asked {
  readonly appId: string
  readonly askedAt: number
  readonly endsAt: number
  readonly clientName?: string
  readonly page?: string
  readonly place?: string
  readonly number?: string
}

/** What a user has decided: nobody takes it back. */
interface Decision {
  readonly isApproved: boolean
  readonly sessionId: string
}

/** RFC 8628 §3.5: `slow_down` adds 5 seconds, for this and all polls to come. */
const intervalSeconds = 2
const slowerBySeconds = 5

// A timer and a network are not exact.
const leewayMs = 500

// What anybody may have written into the store without being known.
const maxAskedBytes = 512

export function createDeviceGrant<Claims extends object>({
  settings: { ttlSeconds, numberMatching, maxOpen, placeOf },
  keys,
  hooks,
  store,
  sessions,
  openSession,
  openAgain,
  deviceCodes,
  apps,
  now,
  emit,
}: DeviceGrantNeeds<Claims>): DeviceGrant<Claims> {
  const askedId = (scene: string) => `asked.${scene}`
  const decisionId = (scene: string) => `decided.${scene}`
  const seconds = () => Math.floor(now() / 1000)

  // Open requests of this process, the oldest first, and when they end. All of them live equally long.
  const open = new Map<string, number>()
  const paces = createBoundedMap<string, { polledMs: number; intervalSeconds: number }>(maxOpen)

  /** At once, so that of many requests in the same moment no more get one than there are. */
  function takePlace(scene: string, endsAt: number): void {
    for (const [scene, endsAt] of open) {
      if (endsAt > seconds()) break
      open.delete(scene)
    }
    if (open.size >= maxOpen) {
      throw new AuthError('rate_limited', 'Too many devices wait to be let in; try again later', {
        retryAfterSeconds: 10,
      })
    }
    open.set(scene, endsAt)
  }

  /** Costs no look into the store. */
  function checkPace(scene: string): void {
    const last = paces.get(scene)
    const waitedMs = last ? now() - last.polledMs : Number.POSITIVE_INFINITY
    const wanted = last?.intervalSeconds ?? intervalSeconds
    // A clock that was set back is no poll that came too early.
    const isTooFast = waitedMs >= 0 && waitedMs < wanted * 1000 - leewayMs
    const next = isTooFast ? wanted + slowerBySeconds : wanted
    paces.set(scene, { polledMs: now(), intervalSeconds: next })
    if (!isTooFast) return
    throw new AuthError('slow_down', `Poll at most every ${next} seconds from now on`, {
      retryAfterSeconds: next,
    })
  }

  async function askedWith(scene: string): Promise<Asked | undefined> {
    const value = isScene(scene) ? await store.peek(askedId(scene)) : undefined
    return value === undefined ? undefined : fromText<Asked>(value)
  }

  async function decisionOn(scene: string): Promise<Decision | undefined> {
    const value = isScene(scene) ? await store.peek(decisionId(scene)) : undefined
    return value === undefined ? undefined : fromText<Decision>(value)
  }

  /** The request, for a session that may decide about it, as the store knows that session now. */
  async function openFor({ session, scene }: DeviceScene<Claims>): Promise<[Asked, LiveRecord]> {
    const record = await sessions.recordOf(session)
    if (record.method === 'device') {
      throw new AuthError(
        'insufficient_scope',
        'A device that was let in lets no other one in; decide on the phone',
      )
    }
    const asked = await askedWith(scene)
    if (!asked) throw over()
    if (asked.appId !== record.appId) {
      throw new AuthError(
        'insufficient_scope',
        'This device asks for the users of another mini program',
      )
    }
    return [asked, record]
  }

  async function checkNumber(
    { number: wanted }: Asked,
    { approve, number, scene }: DeviceDecisionInput<Claims>,
    about: Omit<DeviceDecidedEvent, 'type' | 'outcome'>,
  ): Promise<void> {
    if (!approve || wanted === undefined || number === wanted) return
    if (number === undefined || number === '') {
      throw new AuthError(
        'invalid_request',
        '"number" must be the two digits that the device shows; let the user type them',
      )
    }
    // One guess: the device has to ask anew.
    await writeDecision(scene, { isApproved: false, sessionId: about.sessionId })
    emit({ type: 'device_decided', outcome: 'wrong_number', ...about })
    throw new AuthError(
      'access_denied',
      'This is not the number that the device shows, and the device has to ask again',
      { scope: 'attempt', reason: 'wrong_number' },
    )
  }

  async function placeBehind(request: RequestHeaders): Promise<string | undefined> {
    const place = await callHook('deviceGrant.placeOf', () => placeOf?.(request))
    return place === '' ? undefined : place
  }

  async function putNew(id: string, text: string, endsAt: number): Promise<void> {
    if (await store.put(id, text, endsAt)) return
    throw new AuthError('store_unavailable', 'The store rejected a new request with a random id')
  }

  /** Outlives the request for as long as a poll may be repeated. `false` if there is one. */
  async function writeDecision(scene: string, decision: Decision): Promise<boolean> {
    const until = seconds() + ttlSeconds + loginRetrySeconds
    return store.put(decisionId(scene), JSON.stringify(decision), until)
  }

  /** The session that this code has already made. */
  async function findSession(ids: readonly string[]) {
    for (const id of ids) {
      const record = await store.get(id)
      if (record) return record
    }
    return undefined
  }

  return {
    async start(input = {}, request) {
      checkArguments('auth.device.start', input, startRules)
      const { appId } = await apps.of(input.appId)
      const scene = randomId()
      const askedAt = seconds()
      const endsAt = askedAt + ttlSeconds
      takePlace(scene, endsAt)
      try {
        const number = numberMatching ? String(randomInt(10, 100)) : undefined
        const place = input.place ?? (request && (await placeBehind(request)))
        const text = textOfAsked({ ...input, appId, askedAt, endsAt, place, number })
        const device_code = await deviceCodes.issue({ scene, appId, endsAt })
        await putNew(askedId(scene), text, endsAt)
        emit({ type: 'device_asked', appId })
        return {
          device_code,
          scene,
          expires_in: Math.max(0, endsAt - seconds()),
          interval: intervalSeconds,
          ...(number !== undefined && { number }),
        }
      } catch (error) {
        open.delete(scene)
        throw error
      }
    },

    async look(input) {
      checkArguments('auth.device.look', input, sceneRules)
      const [{ clientName, page, place, askedAt, endsAt, number }] = await openFor(input)
      if (await decisionOn(input.scene)) throw over()
      return {
        ...(clientName !== undefined && { client_name: clientName }),
        ...(page !== undefined && { page }),
        ...(place !== undefined && { place }),
        asked_at: askedAt,
        expires_in: Math.max(0, endsAt - seconds()),
        needs_number: number !== undefined,
      }
    },

    async decide(input) {
      checkArguments('auth.device.decide', input, decideRules)
      const { scene, approve } = input
      const [asked, { id: sessionId, appId, userId }] = await openFor(input)
      const about = { appId, sessionId, userId }
      const decision: Decision = { isApproved: approve, sessionId }
      const earlier = await decisionOn(scene)
      if (!earlier) {
        await checkNumber(asked, input, about)
        if (await writeDecision(scene, decision)) {
          emit({ type: 'device_decided', outcome: approve ? 'approved' : 'denied', ...about })
          return
        }
      }
      // The answer to the first one may have been lost; any other comes too late.
      const { isApproved, sessionId: decidedBy } = earlier ?? (await decisionOn(scene)) ?? {}
      if (isApproved !== approve || decidedBy !== sessionId) throw over()
    },

    async poll(input, request) {
      checkArguments('auth.device.poll', input, pollRules)
      const { deviceCode } = input
      const idempotencyKeyHash = keyHashOf(input)
      const startedMs = now()
      const content = await deviceCodes.read(deviceCode)
      if (!content) throw refused(false)
      const { scene, appId, endsAt } = content
      checkPace(scene)
      const ids = keys.sessionIds('device', appId, deviceCode)
      const attempt = { method: 'device', idempotencyKeyHash, startedMs, request } as const
      const earlier = await findSession(ids)
      if (earlier) {
        return (await openAgain(earlier, { ...attempt, refusal: refused })).answer
      }
      if (endsAt <= seconds()) throw over()
      const decision = await decisionOn(scene)
      if (!decision) throw pending()
      open.delete(scene)
      if (!decision.isApproved) throw denied('The user has refused this device')

      const { kind } = await apps.of(appId)
      const approving = await store.get(decision.sessionId)
      if (!isLive(approving)) throw denied('The session that approved this device has ended')
      const { userId, authenticatedAt } = approving
      // Before it is taken: what cannot be said now must not use up what the user has approved.
      const call = { id: ids[0], generation: 0, idempotencyKeyHash }
      const claims = await hooks.claims(approving, call, request)
      // The point of no return: of many polls one gets it, and if that one breaks off here, the device has to ask anew.
      const taken = await store.take(askedId(scene))
      if (taken === undefined) throw pending()
      const { clientName: device } = fromText<Asked>(taken)
      const opened = await openSession({
        ...attempt,
        id: ids[0],
        account: accountOf({ ...approving, kind }),
        canComeAgain: true,
        approvedBy: decision.sessionId,
        authenticatedAt,
        device,
        known: { userId, claims },
      })
      // Another poll was faster: the next one finds its session.
      if (!opened) throw pending()
      return opened.answer
    },
  }
}

/** What is kept of a request. Throws `invalid_request` for what nobody can read, or is too long. */
function textOfAsked({
  appId,
  askedAt,
  endsAt,
  clientName,
  page,
  place,
  number,
}: { [Name in keyof Asked]: Asked[Name] | undefined } & Pick<
  Asked,
  'appId' | 'askedAt' | 'endsAt'
>): string {
  const asked: Asked = {
    ...{ appId, askedAt, endsAt },
    ...(clientName !== undefined && { clientName: checkDevice(clientName, 'client_name') }),
    ...(page !== undefined && { page: checkDevice(page, 'page') }),
    ...(place !== undefined && { place: checkDevice(place, 'place') }),
    ...(number !== undefined && { number }),
  }
  const text = JSON.stringify(asked)
  if (Buffer.byteLength(text) <= maxAskedBytes) return text
  throw new AuthError(
    'invalid_request',
    `"client_name", "page" and "place" are too long; all that is asked must fit into ${maxAskedBytes} bytes`,
  )
}

const startRules: ArgumentRules<DeviceRequestInput> = {
  appId: 'string?',
  clientName: 'string?',
  page: 'string?',
  place: 'string?',
}

const sceneRules: ArgumentRules<DeviceScene> = { session: 'session', scene: 'string' }

const decideRules: ArgumentRules<DeviceDecisionInput> = {
  ...sceneRules,
  approve: 'boolean',
  number: 'string?',
}

const pollRules: ArgumentRules<DevicePollInput> = { deviceCode: 'string', idempotencyKey: 'string' }

// What is scanned is made above; anything else is in no store.
const isScene = (scene: unknown): scene is string =>
  typeof scene === 'string' && /^[\w-]{22}$/.test(scene)

// Written above, so it is what it was.
const fromText = <Value>(text: string): Value => JSON.parse(text)

const pending = () =>
  new AuthError('authorization_pending', 'The user has not decided yet; poll again')

const over = () =>
  new AuthError('expired_token', 'This request is over, or was decided; let the device ask again')

const denied = (message: string) => new AuthError('access_denied', message, { reason: 'declined' })

const refused = (isReused: boolean) =>
  new AuthError(
    'invalid_grant',
    'The device code is unknown here, or has been used; let the device ask again',
    { reason: isReused ? 'reused' : 'unknown' },
  )
