// Who is measured, and how a backend speaks to them: as their own server or their documentation has it.

const at = (path) => (asked) => asked === path
const bearer = ({ header }) => header.authorization

const wxlogin = {
  isLogin: (path) => path.startsWith('/wx/'),
  login: (token, { url }) =>
    url.endsWith('/wx/login')
      ? {
          data: {
            access_token: token,
            token_type: 'Bearer',
            expires_in: 86_400,
            refresh_token: `refresh-${token}`,
            refresh_expires_in: 2_592_000,
            user_id: 'user-1',
          },
        }
      : {
          statusCode: 400,
          data: {
            error: 'invalid_grant',
            error_description: 'The session has ended.',
            reason: 'unknown',
          },
        },
  tokenOf: ({ header }) => header.authorization?.replace('Bearer ', ''),
}

const waferMagic = 'F2C224D4-2BCE-4C64-AF9F-A6D872000D1A'

export const ours = { title: '@wxlogin/client', wiring: 'wxlogin.mjs', dialect: wxlogin }
export const oursInFull = {
  title: '@wxlogin/client/full',
  wiring: 'wxlogin-full.mjs',
  dialect: wxlogin,
}

/** `isRare`: some registries have not got it, which is said and does not count as a failure. */
export const peers = [
  {
    packages: ['wafer-client-sdk@0.8.4'],
    wiring: 'wafer-client-sdk.mjs',
    dialect: {
      isLogin: at('/login'),
      login: (token) => ({ data: { [waferMagic]: 1, session: { id: 'id-1', skey: token } } }),
      tokenOf: ({ header }) => header['x-wx-skey'],
      expired: () => ({ data: { [waferMagic]: 1, error: 'ERR_INVALID_SESSION', message: '' } }),
    },
    sizes: [
      {
        title: 'wafer-client-sdk: login, request and session',
        from: ['login', 'request', 'session'].map((name) => `wafer-client-sdk/lib/${name}`),
      },
      { title: 'wafer-client-sdk', from: ['wafer-client-sdk'] },
    ],
  },
  {
    packages: ['wafer2-client-sdk@2.1.0'],
    wiring: 'wafer2-client-sdk.mjs',
    dialect: {
      isLogin: at('/login'),
      login: (token) => ({ data: { code: 0, data: { skey: token, userinfo: {} } } }),
      tokenOf: ({ header }) => header['x-wx-skey'],
      expired: () => ({ data: { code: -1, error: 'ERR_SESSION_INVALID' } }),
    },
    sizes: [
      {
        title: 'wafer2-client-sdk: login, request and session',
        from: ['login', 'request', 'session'].map((name) => `wafer2-client-sdk/lib/${name}`),
      },
      { title: 'wafer2-client-sdk', from: ['wafer2-client-sdk'] },
    ],
  },
  {
    packages: ['we-request@1.8.1'],
    isRare: true,
    wiring: 'we-request.mjs',
    dialect: {
      isLogin: at('/login'),
      login: (token) => ({ data: { errcode: 0, session: token } }),
      tokenOf: ({ url, data }) => data?.session ?? /[?&]session=([^&]+)/.exec(url)?.[1],
      expired: () => ({ data: { errcode: -1 } }),
      ok: (data) => ({ data: { errcode: 0, data } }),
    },
    sizes: [{ title: 'we-request', from: ['we-request'] }],
  },
  {
    packages: ['alova@3.5.5'],
    title: 'alova@3.5.5, token authentication',
    wiring: 'alova.mjs',
    dialect: {
      isLogin: at('/login'),
      login: (token) => ({ data: { token } }),
      tokenOf: bearer,
    },
    sizes: [
      { title: 'alova', from: ['alova'] },
      {
        title: 'alova + token authentication',
        code: `export * from 'alova'\nexport { createServerTokenAuthentication } from 'alova/client'`,
      },
    ],
  },
  {
    packages: ['flyio@0.6.14'],
    title: 'flyio@0.6.14, lock pattern',
    wiring: 'flyio.mjs',
    dialect: {
      isLogin: at('/login'),
      login: (token) => ({ data: { token } }),
      tokenOf: ({ header }) => header.token,
      expired: () => ({ data: { tokenExpired: true } }),
    },
    sizes: [{ title: 'flyio/dist/npm/wx', from: ['flyio/dist/npm/wx'] }],
  },
  {
    packages: ['luch-request@3.1.1'],
    title: 'luch-request@3.1.1, queue pattern',
    wiring: 'luch-request.mjs',
    dialect: {
      isLogin: at('/login'),
      login: (token) => ({ data: { token } }),
      tokenOf: bearer,
    },
    sizes: [{ title: 'luch-request', from: ['luch-request'] }],
  },
  // Without a login, or with that of one cloud: for the sizes.
  {
    packages: ['miniprogram-api-promise@1.0.4'],
    sizes: [{ title: 'miniprogram-api-promise', from: ['miniprogram-api-promise'] }],
  },
  {
    packages: ['wx-promise-pro@3.2.0'],
    sizes: [{ title: 'wx-promise-pro', from: ['wx-promise-pro'] }],
  },
  {
    packages: ['miniprogram-request@5.3.0'],
    sizes: [{ title: 'miniprogram-request', from: ['miniprogram-request'] }],
  },
  { packages: ['wefetch@1.3.6'], sizes: [{ title: 'wefetch', from: ['wefetch'] }] },
  {
    packages: ['weapp-cookie@1.4.8'],
    sizes: [{ title: 'weapp-cookie', from: ['weapp-cookie'] }],
  },
  {
    packages: ['axios-miniprogram@2.7.2'],
    sizes: [{ title: 'axios-miniprogram', from: ['axios-miniprogram'] }],
  },
  {
    packages: ['axios@0.19.2', 'axios-miniprogram-adapter@0.3.5'],
    sizes: [
      {
        title: 'axios + axios-miniprogram-adapter',
        from: ['axios', 'axios-miniprogram-adapter'],
      },
    ],
  },
  {
    packages: ['authing-wxapp-sdk@4.3.22-alpha.7'],
    sizes: [{ title: 'authing-wxapp-sdk', from: ['authing-wxapp-sdk'] }],
  },
  {
    packages: ['@cloudbase/js-sdk@3.7.0'],
    sizes: [
      {
        title: '@cloudbase/js-sdk, for mini programs',
        from: ['./node_modules/@cloudbase/js-sdk/miniprogram_dist/index.js'],
      },
    ],
  },
]
