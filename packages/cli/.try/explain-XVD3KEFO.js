import {
  nearest
} from "./chunk-YW3QEEZT.js";
import {
  CliError
} from "./chunk-YIEWGHFF.js";
import {
  exitCodes
} from "./chunk-MTZMFEML.js";

// packages/cli/src/explain.ts
import { explain as explainToClient, mistakes } from "@wxlogin/client/explain";
import { AuthError } from "@wxlogin/server";
import { knownErrcodes } from "@wxlogin/server/wechat";

// packages/cli/src/explain/codes.ts
var serverCodes = {
  invalid_request: {
    en: "Body, path, method, content type, size or Idempotency-Key is wrong, or open data is not what it should be. `error_description` says which; mend the caller",
    zh: "\u8BF7\u6C42\u4F53\u3001\u8DEF\u5F84\u3001\u65B9\u6CD5\u3001\u7C7B\u578B\u3001\u5927\u5C0F\u6216 Idempotency-Key \u4E0D\u5BF9\uFF0C\u6216\u8005\u5F00\u653E\u6570\u636E\u4E0D\u5BF9\u3002`error_description` \u5199\u660E\u4E86\u539F\u56E0\uFF0C\u4FEE\u6B63\u8C03\u7528\u65B9"
  },
  invalid_code: {
    en: "WeChat does not know the code, it was used before, or it is from another mini program. If it keeps happening, compare the AppID of the mini program with `apps`, and look for a second caller of the login",
    zh: "\u5FAE\u4FE1\u4E0D\u8BA4\u8BC6\u8FD9\u4E2A code\u3001\u5DF2\u7ECF\u7528\u8FC7\uFF0C\u6216\u5C5E\u4E8E\u522B\u7684\u5C0F\u7A0B\u5E8F\u3002\u5982\u679C\u4E00\u76F4\u51FA\u73B0\uFF0C\u5BF9\u7167\u5C0F\u7A0B\u5E8F\u7684 AppID \u548C `apps`\uFF0C\u5E76\u68C0\u67E5\u767B\u5F55\u662F\u4E0D\u662F\u88AB\u8C03\u7528\u4E86\u4E24\u6B21"
  },
  invalid_grant: {
    en: "The session has ended; `reason` says whether it is expired, reused, unknown or revoked. Nothing to do: the client logs in again, after `revoked` when the user asks for it",
    zh: "\u4F1A\u8BDD\u5DF2\u7ED3\u675F\uFF0C`reason` \u662F expired\u3001reused\u3001unknown \u6216 revoked\u3002\u4E0D\u7528\u5904\u7406\uFF1A\u5BA2\u6237\u7AEF\u4F1A\u91CD\u65B0\u767B\u5F55\uFF0C`revoked` \u5219\u7B49\u7528\u6237\u81EA\u5DF1\u8981\u6C42\u767B\u5F55"
  },
  invalid_token: {
    en: "The access token is missing, expired, forged or revoked; the client renews it. If fresh tokens are refused, compare `secret`, `issuer`, `apps` and the clocks of the instances",
    zh: "\u8BBF\u95EE\u4EE4\u724C\u7F3A\u5931\u3001\u8FC7\u671F\u3001\u4F2A\u9020\u6216\u5DF2\u540A\u9500\uFF0C\u5BA2\u6237\u7AEF\u4F1A\u7EED\u671F\u3002\u5982\u679C\u521A\u7B7E\u53D1\u7684\u4E5F\u88AB\u62D2\u7EDD\uFF0C\u5BF9\u7167\u5404\u5B9E\u4F8B\u7684 `secret`\u3001`issuer`\u3001`apps` \u548C\u65F6\u949F"
  },
  unknown_app: {
    en: "`apps` does not have this AppID. Add it, or mend the AppID in `project.config.json`",
    zh: "`apps` \u91CC\u6CA1\u6709\u8FD9\u4E2A AppID\u3002\u52A0\u4E0A\u5B83\uFF0C\u6216\u6539\u6B63 `project.config.json` \u91CC\u7684 AppID"
  },
  access_denied: {
    en: 'Your `onLogin`, `onPhoneNumber` or `claims` refused, with your own `reason`. With `scope: "attempt"` only this attempt',
    zh: '\u4F60\u7684 `onLogin`\u3001`onPhoneNumber` \u6216 `claims` \u62D2\u7EDD\u4E86\uFF0C`reason` \u7531\u4F60\u7ED9\u51FA\u3002\u5E26 `scope: "attempt"` \u65F6\u53EA\u9488\u5BF9\u8FD9\u4E00\u6B21\u5C1D\u8BD5'
  },
  insufficient_scope: {
    en: "`allow` or `appIds` of `requireAuth` refused. Do not offer this route to this user",
    zh: "`requireAuth` \u7684 `allow` \u6216 `appIds` \u4E0D\u5141\u8BB8\u3002\u4E0D\u8981\u5411\u8FD9\u4E2A\u7528\u6237\u63D0\u4F9B\u8FD9\u4E2A\u63A5\u53E3"
  },
  user_blocked: {
    en: "WeChat blocks this user as a high risk (40226). Tell the user; do not try again",
    zh: "\u5FAE\u4FE1\u98CE\u63A7\u62E6\u622A\u4E86\u8FD9\u4E2A\u7528\u6237\uFF0840226\uFF09\u3002\u544A\u8BC9\u7528\u6237\uFF0C\u4E0D\u8981\u91CD\u8BD5"
  },
  stale_session_key: {
    en: "The session_key that the data or signature needs was replaced, or cannot be decrypted any more. The mini program calls `login({ force: true })` and gets the data anew",
    zh: "\u6570\u636E\u6216\u7B7E\u540D\u6240\u7528\u7684 session_key \u5DF2\u88AB\u66F4\u6362\uFF0C\u6216\u8005\u5DF2\u65E0\u6CD5\u89E3\u5BC6\u3002\u8BA9\u5C0F\u7A0B\u5E8F `login({ force: true })`\uFF0C\u518D\u91CD\u65B0\u83B7\u53D6\u6570\u636E"
  },
  rate_limited: {
    en: "WeChat 45011 (this minute) or 45009 (today), or a limit of your own. Wait for `Retry-After`, and find the client that logs in too often",
    zh: "\u5FAE\u4FE1 45011\uFF08\u672C\u5206\u949F\uFF09\u6216 45009\uFF08\u5F53\u5929\uFF09\uFF0C\u6216\u8005\u4F60\u81EA\u5DF1\u7684\u9650\u5236\u3002\u6309 `Retry-After` \u7B49\u5F85\uFF0C\u5E76\u67E5\u51FA\u767B\u5F55\u8FC7\u4E8E\u9891\u7E41\u7684\u5BA2\u6237\u7AEF"
  },
  wechat_unavailable: {
    en: "WeChat is busy, slow, or cannot be reached. If it keeps happening, look at the network between this server and api.weixin.qq.com",
    zh: "\u5FAE\u4FE1\u7E41\u5FD9\u3001\u592A\u6162\u6216\u8FDE\u4E0D\u4E0A\u3002\u5982\u679C\u4E00\u76F4\u51FA\u73B0\uFF0C\u68C0\u67E5\u8FD9\u53F0\u670D\u52A1\u5668\u5230 api.weixin.qq.com \u7684\u7F51\u7EDC"
  },
  store_unavailable: {
    en: "The store threw, or did not answer within `storeTimeoutMs`. The error of the `failure` event says why",
    zh: "\u5B58\u50A8\u629B\u51FA\u5F02\u5E38\uFF0C\u6216\u5728 `storeTimeoutMs` \u4E4B\u5185\u6CA1\u6709\u5E94\u7B54\u3002\u539F\u56E0\u5728 `failure` \u4E8B\u4EF6\u7684 error \u91CC"
  },
  server_error: {
    en: "A function of yours threw, or returned what cannot be used. `cause` of the error in the `failure` event has it",
    zh: "\u4F60\u7684\u67D0\u4E2A\u51FD\u6570\u629B\u51FA\u5F02\u5E38\uFF0C\u6216\u8FD4\u56DE\u4E86\u4E0D\u80FD\u7528\u7684\u503C\u3002\u770B `failure` \u4E8B\u4EF6\u91CC error \u7684 `cause`"
  },
  server_misconfigured: {
    en: "WeChat refuses this backend: AppID, AppSecret, IP whitelist or permissions. The `misconfigured` event has the errcode; `wxlogin doctor --online` asks WeChat",
    zh: "\u5FAE\u4FE1\u62D2\u7EDD\u4E86\u8FD9\u4E2A\u540E\u7AEF\uFF1AAppID\u3001AppSecret\u3001IP \u767D\u540D\u5355\u6216\u6743\u9650\u4E0D\u5BF9\u3002errcode \u5728 `misconfigured` \u4E8B\u4EF6\u91CC\uFF1B`wxlogin doctor --online` \u53EF\u4EE5\u76F4\u63A5\u95EE\u5FAE\u4FE1"
  }
};
var clientCodesInChinese = {
  network: "\u6CA1\u6709\u5E94\u7B54\u3002`cause` \u91CC\u6709\u5FAE\u4FE1\u7ED9\u7684\u539F\u8BDD",
  timeout: "\u671F\u9650\u5185\u6CA1\u6709\u5E94\u7B54",
  interrupted: "\u5C0F\u7A0B\u5E8F\u5728\u540E\u53F0\uFF0C\u8BF7\u6C42\u88AB\u5FAE\u4FE1\u4E2D\u65AD\u3002\u5728 `onShow` \u91CC\u518D\u505A\u4E00\u6B21",
  aborted: "\u8C03\u7528\u4E86 `abort()`\uFF0C\u4E0D\u7528\u7BA1",
  domain_not_allowed: "\u57DF\u540D\u4E0D\u5728\u5BF9\u5E94\u7684\u5408\u6CD5\u57DF\u540D\u91CC\uFF1Arequest\u3001uploadFile\u3001downloadFile\u3001socket \u5404\u6709\u4E00\u4EFD\u540D\u5355\uFF0C\u4E14\u53EA\u6536 `https`\u3002\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u6DFB\u52A0\uFF0C\u6216\u5728\u5F00\u53D1\u8005\u5DE5\u5177\u91CC\u52FE\u9009\u201C\u4E0D\u6821\u9A8C\u5408\u6CD5\u57DF\u540D\u201D",
  http: "\u72B6\u6001\u7801\u4E0D\u662F 2xx\uFF0C\u53C8\u4E0D\u662F\u670D\u52A1\u7AEF\u7684\u9519\u8BEF\u7801\uFF1A\u770B `statusCode` \u548C `data`\u3002\u6216\u8005\u767B\u5F55\u63A5\u53E3\u7684\u5E94\u7B54\u91CC\u6CA1\u6709 token\uFF1A\u89C1\u80FD\u8BA4\u51FA\u7684\u914D\u7F6E\u9519\u8BEF\uFF0C\u4F8B\u5982 `wxlogin explain auth_path`",
  business: "`unwrap`\u3001`isUnauthorized` \u6216 `loginInput` \u629B\u51FA\u5F02\u5E38\uFF1B`cause` \u662F\u5B83\u629B\u51FA\u7684\u4E1C\u897F\uFF0C`data` \u662F\u5E94\u7B54\u4F53",
  signed_out: "\u5DF2\u9000\u51FA\u3002\u663E\u793A\u767B\u5F55\u6309\u94AE\uFF0C\u70B9\u4E86\u8C03\u7528 `login()`",
  user_changed: "\u73B0\u5728\u767B\u5F55\u7684\u5DF2\u4E0D\u662F\u53D1\u8D77\u8BF7\u6C42\u65F6\u7684\u7528\u6237\uFF0C\u6240\u4EE5\u6CA1\u6709\u53D1\u51FA\u3002\u91CD\u65B0\u52A0\u8F7D\u9875\u9762",
  single_page: "\u4ECE\u670B\u53CB\u5708\u6253\u5F00\u7684\u5355\u9875\u6A21\u5F0F\uFF0C\u4E0D\u80FD\u767B\u5F55",
  mock_code: "\u5F00\u53D1\u8005\u5DE5\u5177\u91CC\u6CA1\u6709\u586B\u81EA\u5DF1\u7684 AppID\uFF0C\u5F97\u5230\u7684 code \u8C01\u4E5F\u6362\u4E0D\u4E86\u3002\u5728 `project.config.json` \u91CC\u586B\u4E0A AppID",
  denied: "\u5FAE\u4FE1\u4E0D\u5141\u8BB8\u8FD9\u4E2A\u8C03\u7528\uFF0C\u4F8B\u5982 `wx.login`\uFF1B\u7F16\u53F7\u5728 `cause` \u91CC\u3002103\u3001104\uFF1A\u7528\u6237\u6CA1\u6709\u540C\u610F\u9690\u79C1\u4FDD\u62A4\u6307\u5F15\u3002112\uFF1A\u6307\u5F15\u91CC\u6CA1\u6709\u58F0\u660E\u8FD9\u4E00\u9879\u30021402101\uFF1A\u5FAE\u4FE1\u62E6\u622A\u4E86\u8FD9\u4E2A\u7528\u6237",
  phone_denied: "\u624B\u673A\u53F7\u6309\u94AE\u6CA1\u6709\u7ED9\u51FA code\uFF1A\u7528\u6237\u62D2\u7EDD\u4E86\u3002`reason` \u662F `privacy` \u65F6\uFF08errno 103\u3001104\uFF09\uFF0C\u7528\u6237\u8FD8\u6CA1\u6709\u540C\u610F\u9690\u79C1\u4FDD\u62A4\u6307\u5F15\uFF1A\u518D\u6B21\u63D0\u4F9B\u6309\u94AE\uFF0C\u5E76\u4E0E `agreePrivacyAuthorization` \u8026\u5408\u4F7F\u7528",
  phone_quota: "\u83B7\u53D6\u624B\u673A\u53F7\u7684\u4ED8\u8D39\u6B21\u6570\u7528\u5B8C\u4E86\uFF08errno 1400001\uFF09\u3002\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u8D2D\u4E70\uFF0C\u5E76\u63D0\u4F9B\u522B\u7684\u529E\u6CD5",
  config: "\u8FD9\u6837\u914D\u7F6E\u884C\u4E0D\u901A\uFF0C\u539F\u56E0\u5199\u5728 message \u91CC\uFF1A\u57FA\u7840\u5E93\u4F4E\u4E8E 2.13.1 \u6CA1\u6709 `callContainer`\uFF1B\u7528\u7684\u662F `container` \u800C\u4E0D\u662F `baseUrl`\uFF0C\u4E0A\u4F20\u3001\u4E0B\u8F7D\u3001socket \u5374\u7528\u4E86\u76F8\u5BF9\u5730\u5740\uFF1B\u6216\u8005\u9690\u79C1\u4FDD\u62A4\u6307\u5F15\u6CA1\u6709\u58F0\u660E\u624B\u673A\u53F7\uFF08errno 112\uFF09\uFF0C\u6216\u624B\u673A\u53F7\u80FD\u529B\u88AB\u5C01\u7981\uFF081421102\uFF09",
  invalid_request: "\u540E\u7AEF\u8BA4\u4E3A\u8BF7\u6C42\u683C\u5F0F\u4E0D\u5BF9\u3002\u68C0\u67E5\u4E2D\u95F4\u6709\u4EC0\u4E48\u6539\u52A8\u4E86\u8BF7\u6C42",
  invalid_code: "\u8FDE\u7EED\u4E24\u4E2A code \u90FD\u88AB\u62D2\u7EDD\u3002\u5BF9\u7167\u5C0F\u7A0B\u5E8F\u7684 AppID \u548C\u540E\u7AEF\u7684 `apps`",
  invalid_grant: "\u4F1A\u8BDD\u5DF2\u7ED3\u675F\u3002\u5BA2\u6237\u7AEF\u81EA\u5DF1\u4F1A\u5904\u7406\uFF1A\u9759\u9ED8\u767B\u5F55\uFF0C\u6216\u53D8\u4E3A\u5DF2\u9000\u51FA",
  invalid_token: "\u521A\u62FF\u5230\u7684 token \u5C31\u88AB\u62D2\u7EDD\u3002\u5BF9\u7167\u540E\u7AEF\u5404\u5B9E\u4F8B\u7684 `secret` \u548C\u65F6\u949F",
  unknown_app: "\u540E\u7AEF\u7684 `apps` \u91CC\u6CA1\u6709\u8FD9\u4E2A AppID\uFF0Cmessage \u91CC\u5199\u660E\u4E86\u662F\u54EA\u4E2A",
  access_denied: "\u540E\u7AEF\u7684 `onLogin` \u6216 `claims` \u62D2\u7EDD\u4E86\uFF0C`reason` \u7531\u540E\u7AEF\u7ED9\u51FA\u3002\u5BA2\u6237\u7AEF\u53D8\u4E3A\u5DF2\u9000\u51FA",
  insufficient_scope: "\u8FD9\u4E2A\u63A5\u53E3\u4E0D\u5BF9\u8BE5\u7528\u6237\u5F00\u653E",
  user_blocked: "\u88AB\u5FAE\u4FE1\u62E6\u622A\u7684\u7528\u6237\uFF0C\u4E0D\u8981\u91CD\u8BD5",
  stale_session_key: "\u5F00\u653E\u6570\u636E\u662F\u7528\u53E6\u4E00\u4E2A `session_key` \u52A0\u5BC6\u7684\u3002\u5148 `login({ force: true })`\uFF0C\u518D\u91CD\u65B0\u83B7\u53D6\u6570\u636E\u540E\u53D1\u9001",
  rate_limited: "\u8C03\u7528\u592A\u9891\u7E41\u3002\u5BA2\u6237\u7AEF\u4F1A\u7B49 `retryAfterSeconds` \u4E4B\u540E\u518D\u767B\u5F55",
  wechat_unavailable: "\u5FAE\u4FE1\u7E41\u5FD9\uFF0C\u6216\u8005\u540E\u7AEF\u8FDE\u4E0D\u4E0A\u5FAE\u4FE1\u3002token \u4F1A\u4FDD\u7559",
  store_unavailable: "\u540E\u7AEF\u7684\u4F1A\u8BDD\u5B58\u50A8\u4E0D\u53EF\u7528\u3002token \u4F1A\u4FDD\u7559",
  server_error: "\u540E\u7AEF\u7684\u67D0\u4E2A\u51FD\u6570\u629B\u51FA\u5F02\u5E38\uFF0C\u7528 `requestId` \u627E\u5230\u5BF9\u5E94\u7684\u4E8B\u4EF6",
  server_misconfigured: "\u5FAE\u4FE1\u62D2\u7EDD\u4E86\u540E\u7AEF\uFF0C\u539F\u56E0\u5728\u540E\u7AEF\u7684\u4E8B\u4EF6\u91CC"
};
var mistakesInChinese = {
  auth_path: "\u90A3\u91CC\u6CA1\u6709\u767B\u5F55\u63A5\u53E3\u3002\u5BF9\u7167 `authPath` \u548C\u540E\u7AEF\u6302\u8F7D `authRoutes` \u7684\u4F4D\u7F6E\uFF0C\u4EE5\u53CA `baseUrl` \u548C\u4E2D\u95F4\u7684\u7F51\u5173",
  auth_path_twice: "`baseUrl` \u7ED3\u5C3E\u5DF2\u7ECF\u662F `authPath` \u4E86\uFF0C\u4ECE `baseUrl` \u91CC\u53BB\u6389\u5B83",
  redirected: "\u767B\u5F55\u4E0D\u8DDF\u968F\u91CD\u5B9A\u5411\uFF0C\u514D\u5F97 code \u843D\u5230\u522B\u4EBA\u624B\u91CC\u3002\u628A `baseUrl` \u6539\u6210\u5B83\u6307\u5411\u7684 `https` \u5730\u5740",
  not_json: "\u6765\u7684\u4E0D\u662F token\uFF0C\u800C\u662F HTML \u6216\u6587\u672C\uFF1A`baseUrl` \u4E0A\u662F\u4E00\u4E2A\u7F51\u7AD9\u3001\u7F51\u5173\u7684\u9875\u9762\uFF0C\u6216\u8005\u9700\u8981\u767B\u5F55\u7684 Wi-Fi",
  wrapped: "\u6765\u7684 JSON \u91CC\u6CA1\u6709 token\uFF0C\u50CF\u662F\u540E\u7AEF\u628A\u6240\u6709\u5E94\u7B54\u90FD\u5305\u6210\u4E86 `{ code, msg, data }`\u3002\u767B\u5F55\u63A5\u53E3\u4E0D\u8981\u5305",
  plain_http: "\u5FAE\u4FE1\u53EA\u5141\u8BB8 `https`\uFF0C\u5F00\u53D1\u8005\u5DE5\u5177\u91CC\u52FE\u9009\u201C\u4E0D\u6821\u9A8C\u5408\u6CD5\u57DF\u540D\u201D\u65F6\u9664\u5916\u3002\u7ED9\u540E\u7AEF\u914D\u4E0A\u8BC1\u4E66\uFF0C`baseUrl` \u6539\u6210 `https` \u5730\u5740",
  app_secret: "\u5C0F\u7A0B\u5E8F\u91CC\u7684\u4E1C\u897F\u8C01\u90FD\u80FD\u770B\u5230\u3002\u5B83\u53EA\u80FD\u653E\u5728\u540E\u7AEF\uFF1B\u5982\u679C\u66FE\u7ECF\u53D1\u5E03\u8FC7\uFF0C\u8BF7\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u91CD\u7F6E",
  small_entry: "\u4ECE `@wxlogin/client/full` import `createClient`",
  no_wx: "\u8FD9\u91CC\u6CA1\u6709\u5168\u5C40\u7684 `wx`\u3002\u4F20\u5165 `Taro` \u6216 `uni`\uFF0C\u6D4B\u8BD5\u91CC\u4F20\u5165 `createFakeWx()`"
};
var errnos = {
  103: ["denied", "phone_denied"],
  104: ["denied", "phone_denied"],
  112: ["denied", "config"],
  1400001: ["phone_quota"],
  1402101: ["denied"],
  1421102: ["config"]
};

// packages/cli/src/explain/errcodes.ts
var proxies = "\u68C0\u67E5\u8FD9\u53F0\u670D\u52A1\u5668\u5230\u5FAE\u4FE1\u4E4B\u95F4\u7684\u4EE3\u7406";
var tokenRefused = "\u5FAE\u4FE1\u4E0D\u8BA4 access_token\uFF0C\u6362\u4E86\u65B0\u7684\u4E5F\u4E00\u6837\uFF1B\u627E\u4E00\u627E\u662F\u4E0D\u662F\u6709\u522B\u7684\u7A0B\u5E8F\u5728\u5F3A\u5236\u5237\u65B0\u5B83\uFF08force_refresh\uFF09";
var wrongSecret = "AppSecret \u4E0D\u5BF9\uFF0C\u4ECE\u5C0F\u7A0B\u5E8F\u540E\u53F0\u91CD\u65B0\u590D\u5236";
var readTheManual = "\u5FAE\u4FE1\u4E0D\u63A5\u53D7\u67D0\u4E2A\u53C2\u6570\uFF0C\u5BF9\u7167\u5FAE\u4FE1\u6587\u6863\u68C0\u67E5";
var unreadableBody = "\u5FAE\u4FE1\u65E0\u6CD5\u89E3\u6790\u8BF7\u6C42\u4F53\uFF0C\u5BF9\u7167\u5FAE\u4FE1\u6587\u6863\u68C0\u67E5";
var waitingForApproval = "\u8FD9\u53F0\u670D\u52A1\u5668\u7684 IP \u6B63\u5728\u7B49\u7BA1\u7406\u5458\u786E\u8BA4";
var hintsInChinese = {
  "-1": "\u5FAE\u4FE1\u7E41\u5FD9\uFF0C\u7A0D\u540E\u518D\u8BD5",
  "40001": tokenRefused,
  "40002": `\u5FAE\u4FE1\u4E0D\u8BA4 grant_type\uFF0C${proxies}`,
  "40003": "openid \u4E0D\u5C5E\u4E8E\u8FD9\u4E2A\u5C0F\u7A0B\u5E8F\uFF0C\u6216\u4E0D\u5C5E\u4E8E\u8FD9\u4E2A\u7528\u6237",
  "40013": "\u5FAE\u4FE1\u4E0D\u8BA4\u8BC6\u8FD9\u4E2A AppID\uFF0C\u5BF9\u7167\u5C0F\u7A0B\u5E8F\u540E\u53F0\u68C0\u67E5\u914D\u7F6E",
  "40014": tokenRefused,
  "40029": "\u5FAE\u4FE1\u4E0D\u8BA4\u8BC6\u8FD9\u4E2A code\uFF1A\u8D85\u8FC7 5 \u5206\u949F\u3001\u5C5E\u4E8E\u522B\u7684\u5C0F\u7A0B\u5E8F\uFF0C\u6216\u4E0D\u662F\u8FD9\u4E00\u79CD code\u3002\u91CD\u65B0\u83B7\u53D6",
  "40090": "\u8FD9\u53F0\u670D\u52A1\u5668\u7684 IP \u4E0D\u80FD\u4EE3\u8868\u7B2C\u4E09\u65B9\u5E73\u53F0\u8C03\u7528",
  "40094": "\u5FAE\u4FE1\u4E0D\u8BA4\u7B2C\u4E09\u65B9\u5E73\u53F0\u7684 token",
  "40097": readTheManual,
  "40125": wrongSecret,
  "40163": "\u8FD9\u4E2A code \u5DF2\u7ECF\u7528\u8FC7\uFF0C\u91CD\u65B0\u83B7\u53D6",
  "40164": "\u8FD9\u53F0\u670D\u52A1\u5668\u7684 IP \u4E0D\u5728\u767D\u540D\u5355\u91CC\uFF0C\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u6DFB\u52A0",
  "40226": "\u5FAE\u4FE1\u98CE\u63A7\u62E6\u622A\u4E86\u8FD9\u4E2A\u7528\u6237\uFF0C\u4E0D\u8981\u91CD\u8BD5",
  "40243": "AppSecret \u88AB\u51BB\u7ED3\uFF0C\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u89E3\u51BB",
  "41001": `access_token \u6CA1\u6709\u5230\u8FBE\u5FAE\u4FE1\uFF0C${proxies}`,
  "41002": `AppID \u6CA1\u6709\u5230\u8FBE\u5FAE\u4FE1\uFF0C${proxies}`,
  "41004": `AppSecret \u6CA1\u6709\u5230\u8FBE\u5FAE\u4FE1\uFF0C${proxies}`,
  "41008": `code \u6CA1\u6709\u5230\u8FBE\u5FAE\u4FE1\uFF0C${proxies}`,
  "42001": tokenRefused,
  "43001": "\u8FD9\u4E2A\u5FAE\u4FE1\u63A5\u53E3\u8981\u7528 GET",
  "43002": "\u8FD9\u4E2A\u5FAE\u4FE1\u63A5\u53E3\u8981\u7528 POST",
  "44002": "\u8FD9\u4E2A\u5FAE\u4FE1\u63A5\u53E3\u8981\u6709\u8BF7\u6C42\u4F53",
  "45009": "\u8FD9\u4E2A\u5C0F\u7A0B\u5E8F\u5F53\u5929\u7684\u8C03\u7528\u6B21\u6570\u7528\u5B8C\u4E86\uFF0C\u5317\u4EAC\u65F6\u95F4\u96F6\u70B9\u6062\u590D",
  "45011": "\u8FD9\u4E00\u5206\u949F\u8C03\u7528\u592A\u9891\u7E41\uFF0C\u653E\u6162\u4E00\u4E9B",
  "47001": unreadableBody,
  "48001": "\u8FD9\u4E2A\u5C0F\u7A0B\u5E8F\u6CA1\u6709\u8FD9\u4E2A\u63A5\u53E3\u7684\u6743\u9650\uFF0C\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u67E5\u770B",
  "50004": "\u5FAE\u4FE1\u7981\u6B62\u4E86\u8FD9\u4E2A\u5C0F\u7A0B\u5E8F\u4F7F\u7528\u8FD9\u4E2A\u63A5\u53E3\uFF0C\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u67E5\u770B",
  "50007": "\u5C0F\u7A0B\u5E8F\u7684\u8D26\u53F7\u88AB\u51BB\u7ED3\uFF0C\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u67E5\u770B",
  "61003": "\u5C0F\u7A0B\u5E8F\u6CA1\u6709\u6388\u6743\u7ED9\u8FD9\u4E2A\u7B2C\u4E09\u65B9\u5E73\u53F0",
  "61024": "\u5C0F\u7A0B\u5E8F\u7531\u7B2C\u4E09\u65B9\u5E73\u53F0\u7BA1\u7406\uFF0C\u8981\u7528\u7B2C\u4E09\u65B9\u5E73\u53F0\u81EA\u5DF1\u7684\u767B\u5F55\u63A5\u53E3",
  "87007": "session_key \u5DF2\u8FC7\u671F\uFF0C\u91CD\u65B0\u767B\u5F55\u5C31\u6709\u65B0\u7684",
  "87008": `\u5FAE\u4FE1\u4E0D\u8BA4\u7B7E\u540D\u65B9\u6CD5\uFF0C${proxies}`,
  "87009": "session_key \u5DF2\u4E0D\u662F\u5F53\u524D\u7684\uFF0C\u91CD\u65B0\u767B\u5F55\u5C31\u6709\u65B0\u7684",
  "89002": "\u5C0F\u7A0B\u5E8F\u6CA1\u6709\u7ED1\u5B9A\u5F00\u653E\u5E73\u53F0\u8D26\u53F7\uFF0C\u6240\u4EE5\u6CA1\u6709 unionid",
  "89300": "\u5FAE\u4FE1\u4E0D\u8BA4\u8BC6\u8FD9\u7B14\u652F\u4ED8\uFF0C\u6216\u5DF2\u8D85\u8FC7 5 \u5206\u949F",
  "89501": waitingForApproval,
  "89503": waitingForApproval,
  "89506": "\u7BA1\u7406\u5458\u62D2\u7EDD\u4E86\u8FD9\u53F0\u670D\u52A1\u5668\u7684 IP\uFF0C24 \u5C0F\u65F6\u4E4B\u540E\u518D\u7533\u8BF7",
  "89507": "\u7BA1\u7406\u5458\u62D2\u7EDD\u4E86\u8FD9\u53F0\u670D\u52A1\u5668\u7684 IP\uFF0C1 \u5C0F\u65F6\u4E4B\u540E\u518D\u7533\u8BF7",
  "code2Session 40001": wrongSecret,
  "accessToken 40001": wrongSecret,
  "phoneNumber 40003": "\u8FD9\u4E2A code \u5C5E\u4E8E\u53E6\u4E00\u4E2A\u7528\u6237\uFF0C\u8BA9\u5F53\u524D\u7528\u6237\u81EA\u5DF1\u6388\u6743\u624B\u673A\u53F7",
  "/wxa/getpluginopenpid 1000": "\u5FAE\u4FE1\u51FA\u4E86\u95EE\u9898\uFF0C\u7A0D\u540E\u518D\u8BD5",
  "/wxa/getpluginopenpid 1001": readTheManual,
  "/wxa/getpluginopenpid 1003": "\u8C03\u7528\u592A\u9891\u7E41\uFF0C\u653E\u6162\u4E00\u4E9B",
  "/wxa/getpluginopenpid 1005": "token \u5FC5\u987B\u662F\u63D2\u4EF6\u81EA\u5DF1\u7684 AppID \u7684",
  "/wxa/getpluginopenpid 1007": "\u5FAE\u4FE1\u4E0D\u63A5\u53D7\u8FD9\u4E2A code\uFF1A\u5DF2\u7ECF\u7528\u8FC7\u3001\u5DF2\u8FC7\u671F\uFF0C\u6216\u4E0D\u662F\u6765\u81EA wx.pluginLogin\u3002\u91CD\u65B0\u83B7\u53D6",
  "/wxa/getpluginopenpid 1022": unreadableBody,
  "/wxa/business/checkencryptedmsg 1": "\u5FAE\u4FE1\u4E0D\u8BA4\u8BC6\u8FD9\u4EFD\u6570\u636E\uFF0C\u6216\u5DF2\u8D85\u8FC7 3 \u5929"
};

// packages/cli/src/explain.ts
var places = {
  wechat: { en: "WeChat", zh: "\u5FAE\u4FE1" },
  backend: { en: "Backend", zh: "\u540E\u7AEF" },
  mini_program: { en: "Mini program", zh: "\u5C0F\u7A0B\u5E8F" },
  user: { en: "To the user", zh: "\u7ED9\u7528\u6237\u770B" }
};
var errcodesOfWeChat = "https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session";
var explain = {
  usage: "[CODE] [--json]",
  maxWords: 1,
  options: { json: { about: { en: "Prints JSON", zh: "\u8F93\u51FA JSON" } } },
  notes: {
    en: "CODE is an error code (invalid_grant), a mistake in the set-up (auth_path), or a number of WeChat (40125, -1).\nWithout one, all are listed.",
    zh: "CODE \u53EF\u4EE5\u662F\u9519\u8BEF\u7801\uFF08invalid_grant\uFF09\u3001\u914D\u7F6E\u9519\u8BEF\u7684\u540D\u5B57\uFF08auth_path\uFF09\uFF0C\u6216\u5FAE\u4FE1\u7684\u7F16\u53F7\uFF0840125\u3001-1\uFF09\u3002\n\u4E0D\u5199\u5219\u5217\u51FA\u5168\u90E8\u3002"
  },
  async run(call) {
    const { words, has, print, say } = call;
    const all = everything();
    const wanted = words[0] ?? (has("json") ? void 0 : await ask(all, call));
    if (wanted === "") return exitCodes.fine;
    if (wanted === void 0) {
      print(
        has("json") ? JSON.stringify(all.map((one) => jsonOf(one, say)), void 0, 2) : all.map((one) => `${one.name.padEnd(22)}${firstLine(one, say)}`).join("\n")
      );
      return exitCodes.fine;
    }
    const found = all.filter(({ name }) => name === wanted);
    if (found.length === 0) throw unknown(wanted, all);
    print(
      has("json") ? JSON.stringify(found.map((one) => jsonOf(one, say)), void 0, 2) : found.map((one) => textOf(one, say)).join("\n\n")
    );
    return exitCodes.fine;
  }
};
function everything() {
  return [...codes(), ...mistakesOfSetUp(), ...errcodes(), ...errnosOfClient()];
}
function codes() {
  return Object.entries(clientCodesInChinese).map(([code, zh]) => {
    const ofClient = explainToClient({ code });
    const atBackend = isServerCode(code) ? serverCodes[code] : void 0;
    return {
      name: code,
      kind: "code",
      ...isServerCode(code) && { status: new AuthError(code, "").status },
      meanings: [
        ...atBackend ? [{ place: "backend", text: atBackend }] : [],
        { place: "mini_program", text: { en: ofClient.todo, zh } },
        { place: "user", text: { en: ofClient.en, zh: ofClient.zh } }
      ],
      url: ofClient.url
    };
  });
}
var isServerCode = (code) => Object.hasOwn(serverCodes, code);
function mistakesOfSetUp() {
  return Object.entries(mistakes).map(([name, en]) => ({
    name,
    kind: "mistake",
    meanings: [{ place: "mini_program", text: { en, zh: mistakesInChinese[name] ?? en } }],
    url: explainToClient({ code: "http" }).url.replace(/#.*/, `#${name}`)
  }));
}
function errcodes() {
  const byErrcode = /* @__PURE__ */ new Map();
  for (const { errcode, code, hint, endpoint } of knownErrcodes()) {
    const key = endpoint === void 0 ? String(errcode) : `${endpoint} ${errcode}`;
    byErrcode.set(errcode, [
      ...byErrcode.get(errcode) ?? [],
      {
        place: "wechat",
        text: { en: hint, zh: hintsInChinese[key] ?? hint },
        becomes: code,
        ...endpoint !== void 0 && { endpoint }
      }
    ]);
  }
  return [...byErrcode].map(([errcode, meanings]) => ({
    name: String(errcode),
    kind: "errcode",
    meanings,
    url: errcodesOfWeChat
  }));
}
function errnosOfClient() {
  return Object.entries(errnos).map(([name, becomes]) => ({
    name,
    kind: "errno",
    meanings: becomes.map((code) => {
      const { todo } = explainToClient({ code });
      return {
        place: "mini_program",
        text: { en: todo, zh: clientCodesInChinese[code] ?? todo },
        becomes: code
      };
    }),
    url: explainToClient({ code: becomes[0] }).url
  }));
}
function textOf({ name, kind, status, meanings, url }, say) {
  const kinds = {
    code: { en: "error code of wxlogin", zh: "wxlogin \u7684\u9519\u8BEF\u7801" },
    mistake: { en: "mistake in the set-up", zh: "\u914D\u7F6E\u9519\u8BEF" },
    errcode: { en: "errcode of WeChat", zh: "\u5FAE\u4FE1\u7684 errcode" },
    errno: { en: "errno of wx", zh: "wx \u7684 errno" }
  };
  return [
    `${name}  ${[say(kinds[kind]), ...status === void 0 ? [] : [`HTTP ${status}`]].join(", ")}`,
    ...meanings.map(({ place, endpoint, becomes, text }) => {
      const where = [say(places[place]), ...endpoint ? [endpoint] : []].join(" ");
      return `  ${where}${becomes ? ` \u2192 ${becomes}` : ""}: ${say(text)}`;
    }),
    ...url ? [`  ${url}`] : []
  ].join("\n");
}
var firstLine = ({ meanings: [first] }, say) => first ? say(first.text) : "";
function jsonOf({ meanings, ...about }, say) {
  return { ...about, meanings: meanings.map(({ text, ...where }) => ({ ...where, text: say(text) })) };
}
function unknown(wanted, all) {
  if (/^-?\d+$/.test(wanted)) {
    return new CliError("usage", {
      en: `${wanted} is not in the tables of wxlogin; look it up in WeChat's own: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc`,
      zh: `wxlogin \u7684\u8868\u91CC\u6CA1\u6709 ${wanted}\uFF0C\u5230\u5FAE\u4FE1\u7684\u6587\u6863\u91CC\u67E5\uFF1Ahttps://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc`
    });
  }
  const meant = nearest(wanted, [...new Set(all.map(({ name }) => name))]);
  return new CliError("usage", {
    en: `There is no code "${wanted}"${meant ? `; did you mean ${meant}?` : "; wxlogin explain lists all"}`,
    zh: `\u6CA1\u6709\u9519\u8BEF\u7801\u201C${wanted}\u201D${meant ? `\uFF0C\u662F\u4E0D\u662F ${meant}\uFF1F` : "\uFF0Cwxlogin explain \u5217\u51FA\u5168\u90E8"}`
  });
}
async function ask(all, { isInteractive, say }) {
  if (!isInteractive) return void 0;
  const { autocomplete, isCancel } = await import("@clack/prompts");
  const chosen = await autocomplete({
    message: say({ en: "Which code?", zh: "\u54EA\u4E2A\u9519\u8BEF\u7801\uFF1F" }),
    options: all.map((one) => ({ value: one.name, label: one.name, hint: firstLine(one, say) })),
    maxItems: 10
  });
  return isCancel(chosen) ? "" : chosen;
}
export {
  explain
};
