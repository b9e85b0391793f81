import { promises } from './promises.js'
import type { Rules } from './rules.js'
import type { Broken } from './search.js'
import { type Answer, begin, type Key, type State, type Token } from './state.js'
import type { Outcome, Step } from './steps.js'
import { take } from './take.js'

export type Language = 'en' | 'zh'

/** A story as sentences, numbered, with the promise that it breaks at its end. */
export function tell({ promise, story, calm }: Broken, rules: Rules, language: Language): string {
  const names = createNames(language)
  const say = language === 'en' ? english(names) : chinese(names)
  const lines: string[] = []
  let state = begin()
  if (rules.keepsKeys) names.ofPhone(1)
  for (const step of story) {
    const outcome = take(state, step, rules)
    if (!outcome) throw new Error('a story cannot be told again')
    lines.push(`${lines.length + 1}. ${say.step(step, outcome, state)}`)
    state = outcome.state
  }
  if (calm.length > 0) lines.push(`${lines.length + 1}. ${say.calm}`)
  for (const { who, does, ...outcome } of calm) {
    const sentence =
      does === 'refresh'
        ? who === 'phone'
          ? say.refresh(outcome)
          : say.step({ do: 'present', loot: 0, isWithKey: false }, outcome, state)
        : does === 'login'
          ? say.step({ do: 'login' }, outcome, state)
          : say.step({ do: 'tell', isAnswerLost: false }, outcome, state)
    lines.push(`${lines.length + 1}. ${sentence}`)
  }
  return [...lines, `✗ ${promises[promise][language]}`].join('\n')
}

type Names = ReturnType<typeof createNames>

function createNames(language: Language) {
  const keys = new Map<Key, string>()
  let phones = 0
  let thiefs = 0
  const letter = (code: number) => String.fromCharCode(code)
  const isEnglish = language === 'en'
  function token({ session, generation }: Token): string {
    if (session === 0) return isEnglish ? `token ${generation}` : `令牌 ${generation}`
    return isEnglish
      ? `token ${generation} of session ${session + 1}`
      : `会话 ${session + 1} 的令牌 ${generation}`
  }
  function key(number: Key, isThiefs: boolean): string {
    const name = keys.get(number) ?? (isThiefs ? letter(120 + thiefs++) : letter(97 + phones++))
    keys.set(number, name)
    return isEnglish ? `key ${name}` : `键 ${name}`
  }
  return {
    token,
    ofPhone: (number: Key) => key(number, false),
    /** A token, and the key that it comes with. */
    both({ token: one, key: number }: { token: Token; key: Key | undefined }, isThiefs = false) {
      if (number === undefined) {
        return isEnglish ? `${token(one)} without a key` : `${token(one)}（不带键）`
      }
      const named = key(number, isThiefs)
      return isEnglish ? `${token(one)} with ${named}` : `${token(one)}（${named}）`
    },
    only: ({ token: one, key: number }: { token: Token; key: Key | undefined }) =>
      number === undefined
        ? token(one)
        : `${token(one)}${isEnglish ? ' and ' : ' 和'}${key(number, false)}`,
  }
}

/** Whose key it is if nobody has had it before. */
const isThiefs = (state: State) => state.open?.what === 'refresh' && state.open.by === 'thief'

function english({ token, both, only }: Names) {
  const answer = (one: Answer | undefined) =>
    typeof one === 'object' ? token(one) : one === undefined ? 'nothing' : `“${one}”`
  const ends: Record<string, string> = {
    ended: 'the session ends quietly',
    reused: 'used twice, the session is revoked',
    none: 'there is no session to end',
  }
  const result = ({ verdict = '', answer: one, broken }: Outcome) =>
    ({
      rotated: broken === 'same user' ? `${answer(one)}, of the member` : answer(one),
      retried: `${answer(one)}, the same again`,
      healed: `${answer(one)}, for the store must have lost writes`,
      reused: 'it was used twice, “reused”',
      refused: `refused, ${answer(one)}`,
    })[verdict] ?? answer(one)
  const instance = (side: string) => (side === 'left' ? 'instance 1' : 'instance 2')
  const whose = (from: string) => (from === 'stray' ? 'a late request' : instance(from))
  const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

  return {
    calm: 'From here on the network works, and only the phone acts.',
    refresh: (outcome: Outcome) =>
      `The phone sends ${both(outcome.presented ?? none)}: ${result(outcome)}.`,
    step(step: Step, outcome: Outcome, state: State): string {
      const { presented = none, verdict = '' } = outcome
      switch (step.do) {
        case 'send':
          return `${upper(instance(step.by))} sends ${both(presented)}.`
        case 'judge':
          return `The backend gets it from ${whose(step.from)}, ${both(presented)}: ${result(outcome)}.`
        case 'read':
          return `The backend gets it from ${whose(step.from)}, ${both(presented)}, and reads the session.`
        case 'write':
          if (state.open?.what === 'phone') {
            return `The backend ends the session that asked: ${answer(outcome.answer)}.`
          }
          return `The backend writes what it has decided about ${both(presented, isThiefs(state))}: ${result(outcome)}.`
        case 'arrive':
          return `The answer reaches ${instance(step.at)}: ${answer(outcome.answer)}.`
        case 'restart':
          return `${upper(instance(step.side))} is restarted.`
        case 'login':
          return `The phone logs in and has ${token(latest(outcome.state))}.`
        case 'login again':
          return `The phone logs in anew and names ${both(presented)}: ${ends[verdict]}.`
        case 'sign out':
          return 'The user signs out.'
        case 'tell':
          return `The phone tells the backend of the sign-out with ${both(presented)}: ${ends[verdict]}.`
        case 'phone':
          return 'The guest taps the phone number button; the number is that of a member.'
        case 'wait':
          return '20 seconds pass; what is on its way is lost.'
        case 'week':
          return '8 days pass.'
        case 'fall behind':
          return 'From here on a replica of the store misses what is written.'
        case 'fail over':
          return 'The store fails over to the replica.'
        case 'revoke':
          return `The app revokes the sessions of the ${step.user}.`
        case 'steal':
          return `A thief copies ${only(presented)}.`
        case 'overhear':
          return `A thief copies the answer on its way, ${only(presented)}.`
        case 'present':
          return `The thief presents ${both(presented, true)}: ${result(outcome)}.`
        case 'present slowly':
          return `The thief presents ${both(presented, true)}; the backend reads the session.`
        case 'end':
          return `The thief signs out with ${both(presented, true)}: ${ends[verdict]}.`
      }
    },
  }
}

function chinese({ token, both, only }: Names) {
  const answer = (one: Answer | undefined) =>
    typeof one === 'object' ? token(one) : one === undefined ? '无' : `“${one}”`
  const ends: Record<string, string> = {
    ended: '会话安静地结束',
    reused: '用了两次，会话被吊销',
    none: '没有可结束的会话',
  }
  const result = ({ verdict = '', answer: one, broken }: Outcome) =>
    ({
      rotated: broken === 'same user' ? `会员的${answer(one)}` : answer(one),
      retried: `还是那个${answer(one)}`,
      healed: `${answer(one)}，因为存储一定丢过写入`,
      reused: '用了两次，“reused”',
      refused: `拒绝，${answer(one)}`,
    })[verdict] ?? answer(one)
  const instance = (side: string) => (side === 'left' ? '实例一' : '实例二')
  const whose = (from: string) => (from === 'stray' ? '迟到的请求' : instance(from))

  return {
    calm: '从此网络正常，只有手机在动。',
    refresh: (outcome: Outcome) =>
      `手机发出${both(outcome.presented ?? none)}：${result(outcome)}。`,
    step(step: Step, outcome: Outcome, state: State): string {
      const { presented = none, verdict = '' } = outcome
      switch (step.do) {
        case 'send':
          return `${instance(step.by)}发出${both(presented)}。`
        case 'judge':
          return `后端收到${whose(step.from)}的${both(presented)}：${result(outcome)}。`
        case 'read':
          return `后端收到${whose(step.from)}的${both(presented)}，读取会话。`
        case 'write':
          if (state.open?.what === 'phone') {
            return `后端结束提出请求的会话：${answer(outcome.answer)}。`
          }
          return `后端写入对${both(presented, isThiefs(state))}的判定：${result(outcome)}。`
        case 'arrive':
          return `应答到达${instance(step.at)}：${answer(outcome.answer)}。`
        case 'restart':
          return `${instance(step.side)}重启。`
        case 'login':
          return `手机登录，得到${token(latest(outcome.state))}。`
        case 'login again':
          return `手机重新登录，并带上${both(presented)}：${ends[verdict]}。`
        case 'sign out':
          return '用户退出登录。'
        case 'tell':
          return `手机凭${both(presented)}把退出告知后端：${ends[verdict]}。`
        case 'phone':
          return '访客点了手机号按钮，号码属于一位会员。'
        case 'wait':
          return '20 秒过去，在途的都丢了。'
        case 'week':
          return '8 天过去。'
        case 'fall behind':
          return '从此存储的一个副本收不到新的写入。'
        case 'fail over':
          return '存储切换到该副本。'
        case 'revoke':
          return `应用吊销${step.user === 'guest' ? '访客' : '会员'}的会话。`
        case 'steal':
          return `小偷复制了${only(presented)}。`
        case 'overhear':
          return `小偷复制了在途的应答：${only(presented)}。`
        case 'present':
          return `小偷出示${both(presented, true)}：${result(outcome)}。`
        case 'present slowly':
          return `小偷出示${both(presented, true)}，后端读取会话。`
        case 'end':
          return `小偷凭${both(presented, true)}退出登录：${ends[verdict]}。`
      }
    },
  }
}

const none = { token: { session: 0, generation: 0 }, key: undefined }

const latest = ({ storage }: State): Token => (storage.kind === 'pair' ? storage.token : none.token)
