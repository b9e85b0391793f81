/**
 * What docs/reference/errors.md has for mini programs, in code; a test holds them together. `wxlogin explain` has it in
 * Chinese, from errors.zh-CN.md: `packages/cli/src/explain/codes.ts`. By code: what a developer does, and what a
 * user may read, in Chinese and in English.
 */
export const codes: { readonly [code: string]: readonly [todo: string, zh?: string, en?: string] } =
  {
    network: [
      "No answer. `cause` has WeChat's message",
      '网络不可用，请检查后重试',
      'No connection. Please check it and try again',
    ],
    timeout: [
      'No answer within the deadline',
      '网络较慢，请稍后重试',
      'The network is slow. Please try again',
    ],
    interrupted: [
      'WeChat stopped it in the background. Repeat it in `onShow`',
      '请求被中断，请重试',
      'Interrupted. Please try again',
    ],
    aborted: ['`abort()` was called'],
    domain_not_allowed: [
      'Add the host to the 合法域名 of this kind (request, uploadFile, downloadFile or socket, `https` only) in the WeChat console, or tick 不校验合法域名 in DevTools. If `cause` says `trustedOrigins`, add it to those of `createTranslator`',
    ],
    http: [
      'A status other than 2xx without a code of the server: see `statusCode` and `data`. Or a login route answered without tokens: see the mistakes',
    ],
    business: [
      '`unwrap`, `isUnauthorized`, `loginInput` or `headers` threw: see `cause`, and for the body `data`',
    ],
    signed_out: [
      'Signed out. Show a button that calls `login()`',
      '你已退出登录，请重新登录',
      'You are signed out. Please sign in',
    ],
    user_changed: [
      'Another user has logged in since, so it was not sent. Reload the page',
      '账号已切换，请刷新页面',
      'The account has changed. Please reload',
    ],
    single_page: [
      'Single-page mode (Moments) has no login',
      '请先进入完整的小程序',
      'Please open the mini program first',
    ],
    mock_code: [
      'DevTools without an AppID gives a code that nobody can exchange. Set it in `project.config.json`, or use `wxlogin dev`',
    ],
    denied: [
      'WeChat does not allow the call; `cause` says why: 103 or 104 the privacy agreement is not accepted, 112 it does not declare this, 1402101 WeChat blocks this user',
      '微信没有允许这项操作，请同意隐私指引后重试',
      'WeChat did not allow this. Please accept the privacy notice and try again',
    ],
    phone_denied: [
      'The user declined; with the `reason` `privacy` the privacy agreement is not accepted: offer the button again, coupled with `agreePrivacyAuthorization`',
      '没有得到手机号，可以再试一次',
      'No phone number was given. You can try again',
    ],
    phone_quota: [
      'No paid calls are left (1400001). Buy some in the WeChat console; offer another way',
      '手机号暂时不可用，请换一种方式',
      'Phone numbers are not available. Please use another way',
    ],
    payment_cancelled: [
      'The user closed the payment. The order stays open',
      '你取消了支付',
      'The payment was cancelled',
    ],
    payment_refused: [
      'Nothing was paid. `cause.errCode` says why: -4 risk control, -15006 the AppKey of another `env`, -15013 not the published price',
      '微信没有允许这笔支付，没有扣款',
      'WeChat did not allow this payment. Nothing was charged',
    ],
    payment_failed: [
      'WeChat did not say how the payment ended. Ask the server for the order before another one',
      '支付结果未知，请稍后查看订单',
      'The result is not known yet. Please look at your orders later',
    ],
    config: [
      'The message says what cannot work here: an old base library, a mini game, a relative url without `baseUrl`, phone numbers that are not in the privacy guide (112) or blocked (1421102), what needs `@wxlogin/server` beside a translator, `wx.login` without a code',
    ],
    invalid_request: [
      'The request is malformed; the message says how. If the mini program does not send that, something changes it on its way',
    ],
    invalid_code: [
      "Two codes were refused. Compare the AppID of the mini program with the backend's `apps`",
    ],
    invalid_grant: ['The session has ended: a silent login follows, or signed out'],
    invalid_token: [
      "A fresh token was refused. Compare `secret` and clocks of the backend's instances",
    ],
    insufficient_user_authentication: [
      'The login is too long ago, and a new one did not help. Let the user sign in again',
      '请重新登录后再试',
      'Please sign in again',
    ],
    unknown_app: ['The backend has no such AppID in `apps`; the message names it'],
    access_denied: [
      "The backend's `onLogin` or `claims` refused; `reason` is its own. The client is signed out",
      '这个账号不能使用，请联系客服',
      'This account cannot be used. Please contact us',
    ],
    expired_token: [
      'The request of the device is over or decided. Let it show a new code',
      '二维码已失效，请刷新后重试',
      'This code is no longer valid. Please scan a new one',
    ],
    insufficient_scope: [
      'The route is not for this user',
      '你不能使用这个功能',
      'You may not use this',
    ],
    user_blocked: [
      'WeChat blocks this user. Do not try again',
      '微信暂不允许这个账号登录',
      'WeChat does not let this account sign in',
    ],
    stale_session_key: [
      'The open data is of another `session_key`. Call `login({ force: true })`, and get and send the data again',
      '请再试一次',
      'Please try once more',
    ],
    rate_limited: [
      'Too many calls. The client waits',
      '操作太频繁，请稍后重试',
      'Too many attempts. Please wait a little',
    ],
    wechat_unavailable: [
      'WeChat is busy or not reachable from the backend. The tokens are kept',
      '微信繁忙，请稍后重试',
      'WeChat is busy. Please try again later',
    ],
    store_unavailable: [
      "The backend's session store is down. The tokens are kept",
      '服务繁忙，请稍后重试',
      'The service is busy. Please try again later',
    ],
    temporarily_unavailable: [
      'What a hook asks is down. The tokens are kept',
      '服务繁忙，请稍后重试',
      'The service is busy. Please try again later',
    ],
    server_error: [
      'A hook of the backend threw; its console or `onEvent` says why, under this `requestId`',
      '服务繁忙，请稍后重试',
      'The service is busy. Please try again later',
    ],
    server_misconfigured: [
      'WeChat refuses the backend; its console or `onEvent` says why',
      '服务繁忙，请稍后重试',
      'The service is busy. Please try again later',
    ],
  }

/** By the reason of a sign-out or a refusal, where it has texts of its own. */
export const reasons: { readonly [reason: string]: (typeof codes)[string] } = {
  login_required: [
    "Nobody has logged in: `silent` is `false`, or the backend's login needs more than a code. Show a button that calls `login()`. Routes for guests take `auth: 'optional'`",
    '请先登录',
    'Please sign in first',
  ],
}

/** By name: what to do about a mistake that is recognised. */
export const mistakes = {
  auth_path:
    'No login routes are there. Compare `authPath` with where the backend mounts `authRoutes`, and `baseUrl` with what stands in between',
  auth_path_twice: '`baseUrl` ends in `authPath` already. Leave it out of `baseUrl`',
  auth_path_slash: '`authPath` ends in a slash. Leave that out',
  guarded: 'A guard stands in front of the login routes. Mount `authRoutes` before it',
  redirected:
    'Logins follow no redirects, so that nobody else gets the code. Give `baseUrl` the `https` address to which it leads',
  not_json: 'HTML or text came, of a web site at `baseUrl`, a gateway, or a Wi-Fi with a login',
  wrapped:
    'JSON without tokens came: the backend wraps answers, as in `{ code, msg, data }`. Leave the login routes out, or set `unwrap` and `unwrapAuth`',
  plain_http:
    'WeChat allows `https` only, but for 不校验合法域名 in DevTools. Give the backend a certificate, and `baseUrl` its `https` address',
  not_running:
    'Start the backend. On a phone 127.0.0.1 is the phone itself: give `baseUrl` the address of the computer in the network',
  app_secret:
    'Everybody can read a mini program. Keep it at the backend, and reset it if it was ever in a release',
  small_entry: 'Import `createClient` from `@wxlogin/client/full`',
  wrong_option: 'The message names the wrong option of `createClient`, and what is allowed',
  no_wx: 'There is no global `wx`. Pass `Taro` or `uni`, in tests `createFakeWx()`',
  no_tokens:
    'The description of your backend finds neither tokens nor a refusal. Compare its `tokens` with the answer',
  threw:
    'The description of your backend threw, or `wx` lacks a call: `cause` says which. In a build for browsers `Taro` and `uni` are empty: name the calls, see `docs/backends.md`',
} as const
