/** What holds in every state. A name stands for its sentence. */
export const promises = {
  'no false alarm': {
    en: 'A phone is never called a thief unless a thief has presented a token of that session.',
    zh: '除非有小偷出示过该会话的令牌，手机绝不会被当成小偷。',
  },
  'one key': {
    en: 'No refresh token is exchanged with two keys: of a phone and a thief with a key of its own, one at most gets on.',
    zh: '同一个刷新令牌不会凭两个键换到后继：手机和自备键的小偷，最多只有一方能继续。',
  },
  'same successor': {
    en: 'A token has one successor: a request that is repeated gets the very token that the first one got.',
    zh: '一个令牌只有一个后继：重发的请求拿到的就是第一次那个令牌。',
  },
  'over after the alarm': {
    en: 'Once a token was used twice, no token of that session is exchanged any more.',
    zh: '令牌一旦被发现用了两次，该会话的任何令牌都换不到东西。',
  },
  'over after a revocation': {
    en: 'Once the app has revoked a session, no token of it is exchanged any more, whatever was under way.',
    zh: '应用吊销会话之后，它的任何令牌都换不到东西，不论当时有什么请求正在处理。',
  },
  'is told': {
    en: 'Whoever presents a token of a session that the app revoked is told `revoked`, so that the phone does not log in again by itself.',
    zh: '凡出示被应用吊销的会话的令牌，得到的都是 `revoked`，手机因此不会自行重新登录。',
  },
  'what has ended stays so': {
    en: 'A session that has ended is never written again, nor deleted: tombstones stay.',
    zh: '已结束的会话不会再被写入，也不会被删除：墓碑一直在。',
  },
  'same user': {
    en: 'No token of one user is exchanged for a token of another.',
    zh: '一个用户的令牌换不到另一个用户的令牌。',
  },
  'no way in after the end': {
    en: '`/phone` opens no session in place of one that has ended in the meantime.',
    zh: '原会话若在此期间已结束，`/phone` 不会另开会话取代它。',
  },
  'healed after lost writes only': {
    en: 'No token is newer than its session, unless the store has lost writes.',
    zh: '除非存储丢过写入，没有令牌会比它的会话更新。',
  },
  'judged alike': {
    en: 'A token that is presented to end its session is judged as a refresh would judge it.',
    zh: '为结束会话而出示的令牌，判定与续期时一致。',
  },
  'never stuck': {
    en: 'A phone that keeps trying is logged in again within six attempts, or is signed out and knows why.',
    zh: '手机不断重试，六次之内必定重新登录，或者已退出登录并知道原因。',
  },
  'no needless login': {
    en: 'As long as nothing has happened but a bad network, two instances, restarts and a store that lost refreshes, the phone keeps its session.',
    zh: '只要发生的不过是网络差、两个实例、重启，以及存储丢了几次续期，手机就一直留在原会话里。',
  },
  'thief is out': {
    en: 'After two more refreshes of the phone, nothing that the thief holds is exchanged any more.',
    zh: '手机再续期两次之后，小偷手里的任何东西都换不到令牌。',
  },
} as const

export type PromiseName = keyof typeof promises
