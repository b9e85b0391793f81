import type { AuthErrorCode, AuthEvent, StoreWarning } from '@wxlogin/server'
import type { Text } from '../text.js'

/** What an error code of the server means at the backend, and what to do there. */
export const serverCodes: { readonly [code in AuthErrorCode]: Text } = {
  invalid_request: {
    en: 'Body, path, method, content type, size or Idempotency-Key is wrong, or open data is not what it should be. `error_description` says which; mend the caller',
    zh: '请求体、路径、方法、类型、大小或 Idempotency-Key 不对，或者开放数据不对。`error_description` 写明了原因，修正调用方',
  },
  invalid_code: {
    en: 'WeChat does not know the code, it was used before, or it is from another mini program. If it keeps happening, compare the AppID of the mini program with `apps`, and look for a second caller of the login',
    zh: '微信不认识这个 code、已经用过，或属于别的小程序。如果一直出现，对照小程序的 AppID 和 `apps`，并检查登录是不是被调用了两次',
  },
  invalid_grant: {
    en: 'The session has ended; `reason` says whether it is expired, reused, unknown or revoked. Nothing to do: the client logs in again, after `revoked` when the user asks for it',
    zh: '会话已结束，`reason` 是 expired、reused、unknown 或 revoked。不用处理：客户端会重新登录，`revoked` 则等用户自己要求登录',
  },
  invalid_token: {
    en: 'The access token is missing, expired, forged or revoked; the client renews it. If fresh tokens are refused, compare `secret`, `issuer`, `apps` and the clocks of the instances',
    zh: '访问令牌缺失、过期、伪造或已吊销，客户端会续期。如果刚签发的也被拒绝，对照各实例的 `secret`、`issuer`、`apps` 和时钟',
  },
  insufficient_user_authentication: {
    en: 'The login is older than the `maxAgeSeconds` of this route. The client logs in anew by itself; whoever has no WeChat at hand, a PC for example, has to be let in again',
    zh: '登录的时间早于这个接口的 `maxAgeSeconds`。客户端会自己重新登录；没有微信的地方，例如 PC，要重新扫码登录',
  },
  unknown_app: {
    en: '`apps` does not have this AppID. Add it, or mend the AppID in `project.config.json`',
    zh: '`apps` 里没有这个 AppID。加上它，或改正 `project.config.json` 里的 AppID',
  },
  access_denied: {
    en: 'Your `onLogin`, `onPhoneNumber` or `claims` refused, with your own `reason`. With `scope: "attempt"` only this attempt',
    zh: '你的 `onLogin`、`onPhoneNumber` 或 `claims` 拒绝了，`reason` 由你给出。带 `scope: "attempt"` 时只针对这一次尝试',
  },
  authorization_pending: {
    en: 'A device waits for its user, who has not decided yet. Nothing to do: it polls on',
    zh: '设备在等用户确认，用户还没有决定。不用处理，设备会继续轮询',
  },
  slow_down: {
    en: 'A device polls `/device/token` faster than its `interval`. It has to wait 5 seconds more from now on; if it does, look for two pages or timers that poll with one code',
    zh: '设备轮询 `/device/token` 比 `interval` 更快。从现在起每次多等 5 秒；如果已经在等，检查是否有两个页面或定时器用同一个 code 轮询',
  },
  expired_token: {
    en: 'What a device asked for is over, was decided, or was never asked here. Let it call `POST /device` again and show the new code',
    zh: '设备的请求已过期、已有决定，或根本不是在这里发起的。让设备重新调用 `POST /device`，显示新的码',
  },
  insufficient_scope: {
    en: '`allow` or `appIds` of `requireAuth` refused. Do not offer this route to this user',
    zh: '`requireAuth` 的 `allow` 或 `appIds` 不允许。不要向这个用户提供这个接口',
  },
  user_blocked: {
    en: 'WeChat blocks this user as a high risk (40226). Tell the user; do not try again',
    zh: '微信风控拦截了这个用户（40226）。告诉用户，不要重试',
  },
  stale_session_key: {
    en: 'The session_key that the data or signature needs was replaced, or cannot be decrypted any more. The mini program calls `login({ force: true })` and gets the data anew',
    zh: '数据或签名所用的 session_key 已被更换，或者已无法解密。让小程序 `login({ force: true })`，再重新获取数据',
  },
  rate_limited: {
    en: 'WeChat 45011 (this minute) or 45009 (today), or a limit of your own. Wait for `Retry-After`, and find the client that logs in too often',
    zh: '微信 45011（本分钟）或 45009（当天），或者你自己的限制。按 `Retry-After` 等待，并查出登录过于频繁的客户端',
  },
  wechat_unavailable: {
    en: 'WeChat is busy, slow, or cannot be reached. If it keeps happening, look at the network between this server and api.weixin.qq.com',
    zh: '微信繁忙、太慢或连不上。如果一直出现，检查这台服务器到 api.weixin.qq.com 的网络',
  },
  store_unavailable: {
    en: 'The store threw, or did not answer within `storeTimeoutMs`. The error of the `failure` event says why',
    zh: '存储抛出异常，或在 `storeTimeoutMs` 之内没有应答。原因在 `failure` 事件的 error 里',
  },
  temporarily_unavailable: {
    en: 'A function of yours said that what it asks cannot answer now: a database, a service, a webhook. Mend that; phones keep their tokens, and come back after `Retry-After`. The error of the `failure` event says which',
    zh: '你的某个函数说它要问的东西现在答不上来：数据库、别的服务、webhook。修好它；手机保留 token，按 `Retry-After` 再来。是哪一个，看 `failure` 事件里的 error',
  },
  server_error: {
    en: 'A function of yours threw, or returned what cannot be used. `cause` of the error in the `failure` event has it',
    zh: '你的某个函数抛出异常，或返回了不能用的值。看 `failure` 事件里 error 的 `cause`',
  },
  server_misconfigured: {
    en: 'WeChat refuses this backend: AppID, AppSecret, IP whitelist or permissions. The `misconfigured` event has the errcode; `wxlogin doctor --online` asks WeChat',
    zh: '微信拒绝了这个后端：AppID、AppSecret、IP 白名单或权限不对。errcode 在 `misconfigured` 事件里；`wxlogin doctor --online` 可以直接问微信',
  },
}

type Warning = Extract<AuthEvent, { readonly type: 'warning' }>['warning'] | StoreWarning

/** What the console says before a colon, and `auth.check()` lists, and on which page there is more. */
export const warnings: { readonly [warning in Warning]: Text & { readonly page: string } } = {
  memory_store: {
    en: 'No `store` is set, so sessions live in this process: a restart logs everyone out. Right while you develop; in production pass one',
    zh: '没有提供 `store`，会话存在这个进程里，一重启所有人都要重新登录。开发时没有关系，生产环境要提供一个',
    page: 'stores',
  },
  redis_eviction_policy: {
    en: 'Redis may drop sessions when its memory is full: `maxmemory-policy noeviction`',
    zh: '内存满时 Redis 可能丢掉会话：设置 `maxmemory-policy noeviction`',
    page: 'stores',
  },
  redis_no_persistence: {
    en: 'Redis does not write to disk, so its restart logs everyone out: `appendonly yes`',
    zh: 'Redis 不写磁盘，它一重启所有人都掉线：设置 `appendonly yes`',
    page: 'stores',
  },
  sql_not_migrated: {
    en: 'The table or a column is missing. Call `migrate()` of the store, or run its `schema`',
    zh: '缺少表或某一列。调用存储的 `migrate()`，或执行它的 `schema`',
    page: 'stores',
  },
  weak_secret: {
    en: 'Somebody could guess the `secret`: it is made of words, sequences or repetitions. Generate one with `wxlogin keygen` and put it first in a list; nobody is logged out while the old one stands behind it',
    zh: '`secret` 可能被猜到：它由常见单词、顺序字符或重复内容组成。用 `wxlogin keygen` 生成一个，放在列表的最前面；旧的留在后面时，谁也不会掉线',
    page: 'keys',
  },
  openid_as_user_id: {
    en: '`onLogin` returned the openid as `userId`, which then is in tokens, logs and events. Return an id of your own, or none',
    zh: '`onLogin` 把 openid 当作 `userId` 返回了，它会出现在令牌、日志和事件里。返回你自己的 id，或者不返回',
    page: 'on-login',
  },
  accept_legacy_over: {
    en: '`acceptLegacy.until` has passed, so tokens of the earlier login get 401. Remove the option `acceptLegacy`',
    zh: '`acceptLegacy.until` 已过，旧登录的 token 一律 401。去掉选项 `acceptLegacy`',
    page: 'earlier-tokens',
  },
  no_undici: {
    en: 'undici could not be loaded, mostly because of bundling, so the global `fetch` calls WeChat. Leave undici out of the bundle and install it beside, or set `fetch: globalThis.fetch`',
    zh: 'undici 加载不了，多半是因为打包，改由全局 `fetch` 访问微信。不要把 undici 打进包里，装在旁边；或者就写 `fetch: globalThis.fetch`',
    page: 'platforms',
  },
}

/** For the developer of the mini program, in Chinese; the English is in `@wxlogin/client/explain`. */
export const clientCodesInChinese: Readonly<Record<string, string>> = {
  network: '没有应答。`cause` 里有微信给的原话',
  timeout: '期限内没有应答',
  interrupted: '小程序在后台，请求被微信中断。在 `onShow` 里再做一次',
  aborted: '调用了 `abort()`，不用管',
  domain_not_allowed:
    '域名不在对应的合法域名里：request、uploadFile、downloadFile、socket 各有一份名单，且只收 `https`。在小程序后台添加，或在开发者工具里勾选“不校验合法域名”。如果 `cause` 提到 `trustedOrigins`，说明它不在 `createTranslator` 的 `trustedOrigins` 里',
  http: '状态码不是 2xx，又不是服务端的错误码：看 `statusCode` 和 `data`。或者登录接口的应答里没有 token：见能认出的配置错误',
  business:
    '`unwrap`、`isUnauthorized`、`loginInput` 或 `headers` 抛出异常；`cause` 是它抛出的东西，`data` 是应答体',
  signed_out: '已退出。显示登录按钮，点了调用 `login()`',
  user_changed: '现在登录的已不是发起请求时的用户，所以没有发出。重新加载页面',
  single_page: '从朋友圈打开的单页模式，不能登录',
  mock_code:
    '开发者工具里没有填 AppID，得到的 code 谁也换不了。在 `project.config.json` 里填上，或者用 `wxlogin dev`',
  denied:
    '微信不允许这个调用，例如 `wx.login`；编号在 `cause` 里。103、104：用户没有同意隐私保护指引。112：指引里没有声明这一项。1402101：微信拦截了这个用户',
  phone_denied:
    '手机号按钮没有给出 code：用户拒绝了。`reason` 是 `privacy` 时（errno 103、104），用户还没有同意隐私保护指引：再次提供按钮，并与 `agreePrivacyAuthorization` 耦合使用',
  phone_quota: '获取手机号的付费次数用完了（errno 1400001）。在小程序后台购买，并提供别的办法',
  payment_cancelled: '用户关闭了支付。订单仍然有效',
  payment_refused:
    '微信拒绝了支付，没有扣款。原因看 `cause.errCode`：-4 风控，-15006 AppKey 与 `env` 不对应，-15013 价格与发布的不一致',
  payment_failed: '微信没有说明支付的结果。先向服务端查询订单，再重新下单',
  config:
    '这样配置行不通，原因写在 message 里：基础库低于 2.13.1 没有 `callContainer`，低于 2.2.3 没有 `callFunction`，低于 2.19.2 或在小游戏里没有 `pay`；没有 `baseUrl`，上传、下载、socket 却用了相对地址；隐私保护指引没有声明手机号（errno 112），或手机号能力被封禁（1421102）；用了 `createTranslator`，却调用了只有 `@wxlogin/server` 才有的能力；或者登录需要 code，而这里的 `wx.login` 给不出来',
  invalid_request:
    '后端认为请求格式不对，错误信息里写了哪里不对。如果小程序并没有这样发，检查中间有什么改动了请求',
  invalid_code: '连续两个 code 都被拒绝。对照小程序的 AppID 和后端的 `apps`',
  invalid_grant: '会话已结束。客户端自己会处理：静默登录，或变为已退出',
  invalid_token: '刚拿到的 token 就被拒绝。对照后端各实例的 `secret` 和时钟',
  insufficient_user_authentication: '登录的时间太早，而重新登录做不到，或没有用。请用户重新登录',
  unknown_app: '后端的 `apps` 里没有这个 AppID，message 里写明了是哪个',
  access_denied: '后端的 `onLogin` 或 `claims` 拒绝了，`reason` 由后端给出。客户端变为已退出',
  expired_token: '设备的请求已过期或已有决定。让设备显示新的码，重新扫描',
  insufficient_scope: '这个接口不对该用户开放',
  user_blocked: '被微信拦截的用户，不要重试',
  stale_session_key:
    '开放数据是用另一个 `session_key` 加密的。先 `login({ force: true })`，再重新获取数据后发送',
  rate_limited: '调用太频繁。客户端会等 `retryAfterSeconds` 之后再登录',
  wechat_unavailable: '微信繁忙，或者后端连不上微信。token 会保留',
  store_unavailable: '后端的会话存储不可用。token 会保留',
  temporarily_unavailable: '后端的某个函数要问的东西暂时不可用。token 会保留',
  server_error: '后端的某个函数抛出异常；是哪一个，用 `requestId` 在后端的控制台或 `onEvent` 里找',
  server_misconfigured: '微信拒绝了后端，原因看后端的控制台或 `onEvent`',
}

/** By the reason of `signed_out`, in Chinese, where it has a text of its own. */
export const reasonsInChinese: Readonly<Record<string, string>> = {
  login_required:
    "还没有人登录过，也不会静默登录：`silent` 是 `false`，或者后端自己的登录光有 code 还不够。显示登录页或按钮，由它调用 `login()`。游客也能用的接口写 `auth: 'optional'`",
}

/** What to do about a mistake in the set-up, in Chinese; the English is in `@wxlogin/client/explain`. */
export const mistakesInChinese: Readonly<Record<string, string>> = {
  auth_path:
    '那里没有登录接口。对照 `authPath` 和后端挂载 `authRoutes` 的位置，以及 `baseUrl` 和中间的网关',
  auth_path_twice: '`baseUrl` 结尾已经是 `authPath` 了，从 `baseUrl` 里去掉它',
  auth_path_slash: '`authPath` 结尾多了一个斜杠，去掉它',
  guarded: '登录接口前面有鉴权。把 `authRoutes` 挂载在它之前',
  redirected: '登录不跟随重定向，免得 code 落到别人手里。把 `baseUrl` 改成它指向的 `https` 地址',
  not_json:
    '来的不是 token，而是 HTML 或文本：`baseUrl` 上是一个网站、网关的页面，或者需要登录的 Wi-Fi',
  wrapped:
    '来的 JSON 里没有 token，像是后端把所有应答都包成了 `{ code, msg, data }`。登录接口不要包，或者设置 `unwrap` 和 `unwrapAuth`',
  plain_http:
    '微信只允许 `https`，开发者工具里勾选“不校验合法域名”时除外。给后端配上证书，`baseUrl` 改成 `https` 地址',
  not_running:
    '本机或局域网的这个地址没有应答。先启动后端；真机上 127.0.0.1 是手机自己，`baseUrl` 要写电脑在局域网里的地址',
  app_secret: '小程序里的东西谁都能看到。它只能放在后端；如果曾经发布过，请在小程序后台重置',
  small_entry: '从 `@wxlogin/client/full` import `createClient`',
  wrong_option: '`createClient` 的某个选项写错了，错误信息里有它的名字和允许的值',
  no_wx: '这里没有全局的 `wx`。传入 `Taro` 或 `uni`，测试里传入 `createFakeWx()`',
  no_tokens:
    '按你写的描述，应答里既没有 token 也没有拒绝。把 `tokens` 和 Network 面板里看到的应答对照一下',
  threw:
    '后端描述里的某个函数抛了错，或者 `wx` 缺少某个方法，看 `cause`。打包到浏览器时 `Taro` 和 `uni` 本身是空的，要逐个写出用到的方法，见 `docs/backends.zh-CN.md`',
}

/** The errnos by which `wx` tells the client, and the code that each becomes. */
export const errnos: Readonly<Record<string, readonly string[]>> = {
  103: ['denied', 'phone_denied'],
  104: ['denied', 'phone_denied'],
  112: ['denied', 'config'],
  1400001: ['phone_quota'],
  1402101: ['denied'],
  1421102: ['config'],
}
