import type { Answer, Seen } from './shop.js'

/** A backend that answers as a public project does: how, not with what. */
export interface Contract {
  /** The heading of its description in docs/backends.md. */
  readonly name: string
  readonly baseUrl: string
  answer(request: Seen): Answer
  /** The access tokens issued so far are dead. */
  expire(): void
  /** So is everything that could renew them. */
  end(): void
  /** Whose account the next login finds. */
  setUser(user: number): void
  readonly login: RegExp
  readonly refresh?: RegExp
  readonly logout?: RegExp
  /** What finishes a login that was refused, or the one there is where nothing is silent. */
  readonly input?: object
  /** A login that is refused for itself alone. */
  readonly mistake?: object
  /** Whether a silent login is refused until then, and why. */
  readonly refusal?: string
  readonly hasUserIds: boolean
}

/** The tokens that a backend knows. */
function createTokens() {
  const access = new Set<string>()
  const refresh = new Set<string>()
  let issued = 0
  let user = 1
  return {
    issue: () => {
      const accessToken = `access-${++issued}`
      access.add(accessToken)
      return accessToken
    },
    issueRefresh: () => {
      const refreshToken = `refresh-${++issued}`
      refresh.add(refreshToken)
      return refreshToken
    },
    isGood: (token: unknown) => access.has(String(token)),
    /** Of a refresh; a rotating one is used up. */
    isRenewable: (token: unknown) => refresh.has(String(token)),
    use: (token: unknown) => refresh.delete(String(token)),
    user: () => user,
    expire: () => access.clear(),
    end() {
      access.clear()
      refresh.clear()
    },
    setUser(next: number) {
      user = next
    },
  }
}

const bearer = (header: string | undefined) => String(header).replace('Bearer ', '')

/** Its clock is an hour ahead of the phone's. */
const serverNow = () => Date.now() + 3_600_000

function yudao(): Contract {
  const { issue, issueRefresh, isGood, isRenewable, user, ...control } = createTokens()
  let isBound = false
  const answer = (code: number, data?: object): Answer => ({
    header: { Date: new Date(serverNow()).toUTCString() },
    data: { code, msg: code ? 'no' : '', data: data ?? null },
  })
  const tokens = (refreshToken: string) =>
    answer(0, {
      userId: user(),
      accessToken: issue(),
      refreshToken,
      expiresTime: serverNow() + 1_800_000,
      openid: 'o',
    })
  return {
    ...control,
    name: 'yudao',
    baseUrl: 'https://yudao.example.com/app-api',
    login: /auth\/(social-login|weixin-mini-app-login)/,
    refresh: /refresh-token/,
    logout: /auth\/logout/,
    input: { phoneCode: 'phone-1' },
    refusal: 'not_bound',
    hasUserIds: true,
    answer({ path, header, body }) {
      if (header['tenant-id'] !== '1') return answer(1002015003)
      if (path.includes('social-login')) {
        return isBound && body.type === 34 && body.code
          ? tokens(issueRefresh())
          : answer(1004003005)
      }
      if (path.includes('weixin-mini-app-login')) {
        isBound = isBound || Boolean(body.phoneCode && body.loginCode)
        return isBound ? tokens(issueRefresh()) : answer(400)
      }
      if (path.includes('refresh-token')) {
        const refreshToken = new URLSearchParams(path.split('?')[1]).get('refreshToken')
        return isRenewable(refreshToken) ? tokens(String(refreshToken)) : answer(401)
      }
      return isGood(bearer(header.authorization)) ? answer(0, { path }) : answer(401)
    },
  }
}

function ruoyi(): Contract {
  const { issue, isGood, user: _user, ...control } = createTokens()
  return {
    ...control,
    name: 'RuoYi',
    baseUrl: 'https://ruoyi.example.com',
    login: /^\/login/,
    logout: /^\/logout/,
    input: { username: 'admin', password: 'admin123', code: '7', uuid: 'u' },
    mistake: { username: 'admin', password: 'admin12', code: '7', uuid: 'u' },
    refusal: 'login_required',
    hasUserIds: false,
    answer({ path, header, body }) {
      if (path === '/login') {
        return body.password === 'admin123'
          ? { data: { code: 200, msg: '操作成功', token: issue() } }
          : { data: { code: 500, msg: '用户不存在/密码错误' } }
      }
      return { data: isGood(bearer(header.authorization)) ? { code: 200, path } : { code: 401 } }
    },
  }
}

function litemall(): Contract {
  const { issue, isGood, user: _user, ...control } = createTokens()
  return {
    ...control,
    name: 'litemall',
    baseUrl: 'https://litemall.example.com/wx',
    login: /auth\/login_by_weixin/,
    logout: /auth\/logout/,
    hasUserIds: false,
    answer({ path, header, body }) {
      if (path.includes('login_by_weixin')) {
        if (!body.code || !body.userInfo) return { data: { errno: 401, errmsg: '参数不对' } }
        return { data: { errno: 0, data: { token: issue(), userInfo: body.userInfo } } }
      }
      return isGood(header['x-litemall-token'])
        ? { data: { errno: 0, data: { path } } }
        : { data: { errno: 501, errmsg: '请登录' } }
    },
  }
}

function crmeb(): Contract {
  const { issue, isGood, user, ...control } = createTokens()
  let isBound = false
  const tokens = (): Answer => ({
    data: {
      status: 200,
      data: {
        token: issue(),
        expires_time: Math.floor(serverNow() / 1000) + 259_200,
        userInfo: { uid: user() },
      },
    },
  })
  return {
    ...control,
    name: 'CRMEB',
    baseUrl: 'https://crmeb.example.com/api',
    login: /routine\//,
    logout: /\/logout/,
    input: { phoneCode: 'phone-1' },
    refusal: 'bind_phone',
    hasUserIds: true,
    answer({ path, header, body }) {
      if (path.includes('silenceAuth')) {
        return isBound && body.code ? tokens() : { data: { status: 200, data: { key: 'k-1' } } }
      }
      if (path.includes('auth_binding_phone')) {
        isBound = isBound || (body.key === 'k-1' && Boolean(body.code))
        return isBound ? tokens() : { data: { status: 400, msg: 'no' } }
      }
      return isGood(bearer(header['authori-zation']))
        ? { data: { status: 200, data: { path } } }
        : { data: { status: 110002, msg: '请登录' } }
    },
  }
}

function saToken(): Contract {
  const { issue, isGood, user, ...control } = createTokens()
  return {
    ...control,
    name: 'Sa-Token',
    baseUrl: 'https://satoken.example.com',
    login: /^\/login/,
    logout: /^\/logout/,
    hasUserIds: true,
    answer({ path, header, body }) {
      if (path === '/login') {
        if (!body.code) return { data: { code: 500, msg: 'no' } }
        const data = { tokenName: 'satoken', tokenValue: issue(), loginId: String(user()) }
        return { data: { code: 200, msg: 'ok', data } }
      }
      return { data: isGood(header.satoken) ? { code: 200, data: { path } } : { code: 401 } }
    },
  }
}

function unibest(): Contract {
  const { issue, issueRefresh, isGood, isRenewable, use, user: _user, ...control } = createTokens()
  const tokens = (): Answer => ({
    data: {
      code: 0,
      msg: '',
      data: {
        accessToken: issue(),
        refreshToken: issueRefresh(),
        accessExpiresIn: 1_800,
        refreshExpiresIn: 604_800,
      },
    },
  })
  return {
    ...control,
    name: 'unibest',
    baseUrl: 'https://unibest.example.com',
    login: /auth\/wxLogin/,
    refresh: /auth\/refreshToken/,
    logout: /auth\/logout/,
    hasUserIds: false,
    answer({ path, header, body }) {
      const dead = { statusCode: 401, data: { code: 401, msg: 'no' } }
      if (path.includes('wxLogin')) return body.code ? tokens() : dead
      if (path.includes('refreshToken')) {
        if (!isRenewable(body.refreshToken)) return dead
        // It rotates, and knows no retry.
        use(body.refreshToken)
        return tokens()
      }
      return isGood(bearer(header.authorization)) ? { data: { code: 0, data: { path } } } : dead
    },
  }
}

function wechatAppMall(): Contract {
  const { issue, isGood, user, ...control } = createTokens()
  let isRegistered = false
  const form = 'application/x-www-form-urlencoded'
  return {
    ...control,
    name: 'Tokens as a parameter',
    baseUrl: 'https://mall.example.com/shop',
    login: /user\/wxapp\//,
    input: { nick: 'Li' },
    refusal: 'not_registered',
    hasUserIds: true,
    answer({ path, header, body, text }) {
      if (path.includes('/user/wxapp/')) {
        if (header['content-type'] !== form || !body.code) return { data: { code: 300 } }
        isRegistered = isRegistered || (path.includes('authorize') && body.nick === 'Li')
        return isRegistered
          ? { data: { code: 0, data: { token: issue(), uid: user() } } }
          : { data: { code: 10000 } }
      }
      // In the query, in a form, or in one part of an upload.
      const [, part] = /name="token"\s+(\S+)/.exec(text) ?? []
      const token = new URLSearchParams(path.split('?')[1]).get('token') ?? part ?? body.token
      return { data: isGood(token) ? { code: 0, data: { path } } : { code: 2000, msg: 'no' } }
    },
  }
}

export const contracts: readonly (() => Contract)[] = [
  litemall,
  yudao,
  unibest,
  ruoyi,
  crmeb,
  wechatAppMall,
  saToken,
]
