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
      'WeChat stopped it because the mini program was in the background. Repeat it in `onShow`',
      '请求被中断，请重试',
      'Interrupted. Please try again',
    ],
    aborted: ['`abort()` was called. Nothing to do'],
    domain_not_allowed: [
      'The host is not in the list of 合法域名 of this kind: request, uploadFile, downloadFile and socket have one each, and take `https` only. Add it in the WeChat console, or tick 不校验合法域名 in DevTools. If `cause` says `trustedOrigins`, it is not among those of `createTranslator`',
    ],
    http: [
      "A status other than 2xx without one of the server's codes: look at `statusCode` and `data`. Or a login route that answered without tokens: see the mistakes",
    ],
    business: [
      '`unwrap`, `isUnauthorized`, `loginInput` or `headers` threw; `cause` has what it threw, `data` the body',
    ],
    signed_out: [
      'Signed out. Show a button that calls `login()`',
      '你已退出登录，请重新登录',
      'You are signed out. Please sign in',
    ],
    user_changed: [
      'A different user is logged in than when the request was made, so it was not sent. Reload the page',
      '账号已切换，请刷新页面',
      'The account has changed. Please reload',
    ],
    single_page: [
      'Single-page mode, opened from Moments, has no login',
      '请先进入完整的小程序',
      'Please open the mini program first',
    ],
    mock_code: [
      'DevTools without an AppID gives a code that nobody can exchange. Set it in `project.config.json`, or use `wxlogin dev`',
    ],
    denied: [
      'WeChat does not allow the call, `wx.login` for example; `cause` has its number. 103 and 104: the user has not accepted the privacy agreement. 112: it does not declare this. 1402101: WeChat blocks this user',
      '微信没有允许这项操作，请同意隐私保护指引后重试',
      'WeChat did not allow this. Please accept the privacy notice and try again',
    ],
    phone_denied: [
      'The phone button gave no code: the user declined. With the `reason` `privacy` (errno 103, 104) the privacy agreement has not been accepted: offer the button again, coupled with `agreePrivacyAuthorization`',
      '没有得到手机号，可以再试一次',
      'No phone number was given. You can try again',
    ],
    phone_quota: [
      'No paid calls are left for phone numbers (errno 1400001). Buy some in the WeChat console, and offer another way',
      '手机号验证暂时不可用，请换一种方式',
      'Phone numbers are not available right now. Please use another way',
    ],
    payment_cancelled: [
      'The user closed the payment. The order stays open',
      '你取消了支付',
      'The payment was cancelled',
    ],
    payment_refused: [
      'WeChat refused, and nothing was paid. `cause.errCode` says why: -4 risk control, -15006 the AppKey of another `env`, -15013 not the published price',
      '微信没有允许这笔支付，没有扣款',
      'WeChat did not allow this payment. Nothing was charged',
    ],
    payment_failed: [
      'WeChat did not say how the payment ended. Ask the server for the order before another one',
      '支付结果还没有确认，请稍后查看订单',
      'The result is not known yet. Please look at your orders later',
    ],
    config: [
      'This cannot work as it is set up; the message says why: `callContainer` before base library 2.13.1, `callFunction` before 2.2.3, `pay` before 2.19.2 or in a mini game, a relative url of an upload, a download or a socket where there is no `baseUrl`, phone numbers that the privacy guide does not declare (errno 112) or that are blocked (1421102), something that needs `@wxlogin/server` beside a translator, or a login that needs a code where `wx.login` gives none',
    ],
    invalid_request: [
      'The backend found the request malformed; the message says what is wrong. If the mini program does not send that, look for what modifies requests on their way',
    ],
    invalid_code: [
      "Two codes in a row were refused. Compare the AppID of the mini program with the backend's `apps`",
    ],
    invalid_grant: ['The session has ended. The client handles it: a silent login, or signed out'],
    invalid_token: [
      "A fresh token was refused. Compare `secret` and clocks of the backend's instances",
    ],
    insufficient_user_authentication: [
      'The login is too long ago, and a new one is not possible or did not help. Let the user sign in again',
      '请重新登录后再试',
      'Please sign in again',
    ],
    unknown_app: ['The backend does not have this AppID in `apps`; the message names it'],
    access_denied: [
      "The backend's `onLogin` or `claims` refused; `reason` is its own. The client is signed out",
      '这个账号暂时不能使用，请联系客服',
      'This account cannot be used. Please contact us',
    ],
    expired_token: [
      'What the device asked for is over or decided. Let it show a new code, and scan that',
      '二维码已失效，请刷新后重新扫描',
      'This code is no longer valid. Please scan a new one',
    ],
    insufficient_scope: [
      'The route is not for this user',
      '你没有权限使用这个功能',
      'You may not use this',
    ],
    user_blocked: [
      'WeChat blocks this user. Do not try again',
      '微信暂不允许这个账号登录',
      'WeChat does not let this account sign in',
    ],
    stale_session_key: [
      'The open data was encrypted under another `session_key`. Call `login({ force: true })`, get the data from WeChat again and send that',
      '请再试一次',
      'Please try once more',
    ],
    rate_limited: [
      'Too many calls. The client waits for `retryAfterSeconds` before the next login',
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
    server_error: [
      'A hook of the backend threw; its console or `onEvent` says which, under this `requestId`',
      '服务繁忙，请稍后重试',
      'The service is busy. Please try again later',
    ],
    server_misconfigured: [
      'WeChat refuses the backend, whose console or `onEvent` says why',
      '服务繁忙，请稍后重试',
      'The service is busy. Please try again later',
    ],
  }

/** By the reason of a sign-out or a refusal, where it has texts of its own. */
export const reasons: { readonly [reason: string]: (typeof codes)[string] } = {
  login_required: [
    "Nobody has logged in yet, and nothing does so silently: `silent` is `false`, or the backend's own login needs more than a code. Show the page or button that calls `login()`. Routes that guests may use take `auth: 'optional'`",
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
    'Logins do not follow redirects, so that nobody else gets the code. Give `baseUrl` the address to which it leads, with `https`',
  not_json:
    'HTML or text came instead of tokens: a web site at `baseUrl`, a page of a gateway, or a Wi-Fi that wants a login of its own',
  wrapped:
    'JSON without tokens came, as from a backend that wraps all answers in `{ code, msg, data }`. Leave the login routes out of that, or set `unwrap` and `unwrapAuth`',
  plain_http:
    'WeChat allows `https` only, but for 不校验合法域名 in DevTools. Give the backend a certificate, and `baseUrl` its `https` address',
  not_running:
    'Nothing answers at this address of your own computer or network. Start the backend, and on a phone, where 127.0.0.1 is the phone itself, give `baseUrl` the address that the computer has in the network',
  app_secret:
    'Everybody can read what is in a mini program. Keep it at the backend only, and reset it in the WeChat console if it was ever in a release',
  small_entry: 'Import `createClient` from `@wxlogin/client/full`',
  wrong_option:
    'An option of `createClient` is wrong; the message names it and says what is allowed',
  no_wx: 'There is no global `wx` here. Pass `Taro` or `uni`, and in tests `createFakeWx()`',
  no_tokens:
    'The answer has neither tokens nor a refusal, as the description of your backend reads it. Compare its `tokens` with what the Network panel shows',
  threw:
    'A function of the description of your backend threw, or `wx` lacks a call: `cause` says which. `Taro` and `uni` are empty in a build for browsers: name the calls, see `docs/backends.md`',
} as const
