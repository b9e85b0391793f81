// packages/cli/src/scan/leak-texts.ts
var leakTexts = {
  app_secret: {
    en: "An AppSecret. Everybody can read what is in a mini program: keep it at the backend only, and reset it in the WeChat console if this was ever uploaded",
    zh: "AppSecret \u6CC4\u9732\u3002\u5C0F\u7A0B\u5E8F\u91CC\u7684\u4E1C\u897F\u8C01\u90FD\u80FD\u770B\u5230\uFF1A\u5B83\u53EA\u80FD\u653E\u5728\u540E\u7AEF\uFF1B\u5982\u679C\u4E0A\u4F20\u8FC7\uFF0C\u8BF7\u5728\u5C0F\u7A0B\u5E8F\u540E\u53F0\u91CD\u7F6E"
  },
  session_key: {
    en: "A session_key. Whoever has it can read and forge what WeChat signs for this user: the backend keeps it and sends it to nobody",
    zh: "session_key \u6CC4\u9732\u3002\u6709\u4E86\u5B83\u5C31\u80FD\u89E3\u5BC6\u3001\u4F2A\u9020\u5FAE\u4FE1\u4E3A\u8FD9\u4E2A\u7528\u6237\u7B7E\u540D\u7684\u6570\u636E\uFF1A\u5B83\u53EA\u7559\u5728\u540E\u7AEF\uFF0C\u4E0D\u8981\u4E0B\u53D1"
  },
  private_key: {
    en: "A private key. Take it out, and replace the key if this was ever uploaded",
    zh: "\u79C1\u94A5\u6CC4\u9732\u3002\u4ECE\u5C0F\u7A0B\u5E8F\u91CC\u62FF\u8D70\uFF1B\u5982\u679C\u4E0A\u4F20\u8FC7\uFF0C\u6362\u6389\u8FD9\u628A\u5BC6\u94A5"
  },
  wechat_call: {
    en: "A call of api.weixin.qq.com. It needs an AppSecret or an access_token, which must not be on a phone: let the backend call it",
    zh: "\u8C03\u7528\u4E86 api.weixin.qq.com\u3002\u8FD9\u9700\u8981 AppSecret \u6216 access_token\uFF0C\u5B83\u4EEC\u4E0D\u80FD\u51FA\u73B0\u5728\u624B\u673A\u4E0A\uFF1A\u8BA9\u540E\u7AEF\u53BB\u8C03\u7528"
  }
};

// packages/cli/src/scan/findings.ts
function leaksIn(raw, { isProgram }) {
  const text = { raw, code: isProgram ? withoutComments(raw) : raw };
  const leaks = [namedSecrets, secretsBesideAppIds, encodedSecrets, sessionKeys, readSessionKeys].concat([pemKeys, encodedPemKeys, jwks, callsOfWeChat]).flatMap((find) => [...find(text)]).sort((a, b) => a.range[0] - b.range[0]);
  const kept = [];
  for (const leak of leaks) {
    const isSeen = kept.some(
      ({ kind, range: [start, end] }) => kind === leak.kind && start < leak.range[1] && leak.range[0] < end
    );
    if (!isSeen) kept.push(leak);
  }
  return kept;
}
var quote = String.raw`(?:\\*["'\x60])`;
var assigned = String.raw`${quote}?\s{0,20}(?::\s{0,20}string\s{0,20})?[:=,(]\s{0,20}`;
var hex = "[0-9a-f]{32}(?![0-9a-zA-Z])";
function* namedSecrets({ raw }) {
  const whole = new RegExp(`secret\\w{0,20}${assigned}${quote}?(${hex})`, "gid");
  yield* hits(raw, whole, "app_secret", isRandomHex);
  const inUrl = new RegExp(`[?&]secret=(${hex})`, "gd");
  yield* hits(raw, inUrl, "app_secret", isRandomHex);
  const inParts = new RegExp(
    `secret\\w{0,20}${assigned}((?:${quote}[0-9a-f]{1,31}${quote}\\s{0,20}\\+?\\s{0,20}){2,32})`,
    "gid"
  );
  yield* hits(
    raw,
    inParts,
    "app_secret",
    (parts) => isRandomHex(parts.replace(/[^0-9a-f]/g, ""))
  );
}
function* secretsBesideAppIds({ raw }) {
  const pair = new RegExp(
    `${quote}wx[0-9a-f]{16}${quote}([^;{}]{1,80}?)${quote}(${hex})${quote}`,
    "gd"
  );
  for (const match of raw.matchAll(pair)) {
    const [, between = "", secret = ""] = match;
    const range = match.indices?.[2];
    const isHash = /md5|hash|etag|digest|sum|version|trace|nonce|uuid|guid|(?<!secret|app)key|id\b/i;
    if (range && isRandomHex(secret) && !isHash.test(between)) yield { kind: "app_secret", range };
  }
}
function* encodedSecrets({ raw }) {
  const encoded = new RegExp(`${quote}([A-Za-z0-9+/]{43}=)${quote}`, "gd");
  yield* hits(raw, encoded, "app_secret", (base64) => {
    const decoded = Buffer.from(base64, "base64").toString("latin1");
    return /^[0-9a-f]{32}$/.test(decoded) && isRandomHex(decoded);
  });
}
function* sessionKeys({ raw }) {
  const named = new RegExp(
    `session_?key\\w{0,20}${assigned}${quote}?([A-Za-z0-9+/]{22}==)`,
    "gid"
  );
  yield* hits(raw, named, "session_key", (key) => new Set(key).size > 6);
}
function* readSessionKeys({ code }) {
  yield* hits(code, /\??\.(session_key)\b/gd, "session_key");
  yield* hits(code, /\[\s*["'`](session_key)["'`]\s*\]/gd, "session_key");
  yield* hits(code, /[{,]\s*(session_key)\b\s*(?:[,}]|:\s*\w+\s*[,}])[^;]{0,200}?=[^=>]/gd, "session_key");
}
function* pemKeys({ raw }) {
  const pem = /(-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY-----)(?:\s|\\[rn]|["'`+]){0,40}(?:[A-Za-z0-9+/=]{20}|Proc-Type)/gd;
  yield* hits(raw, pem, "private_key");
}
function* encodedPemKeys({ raw }) {
  yield* hits(
    raw,
    /(LS0tLS1CRUdJTi[A-Za-z0-9+/=]{60,})/gd,
    "private_key",
    (base64) => /^-----BEGIN (?:[A-Z0-9]+ ){0,2}PRIVATE KEY-----/.test(
      Buffer.from(base64.slice(0, 120), "base64").toString("latin1")
    )
  );
}
function* jwks({ raw }) {
  const member = String.raw`["']?\s{0,20}:\s{0,20}["']`;
  const isKey = new RegExp(`\\bkty${member}(?:EC|OKP|RSA)["']`);
  const secretPart = new RegExp(`[\\s{,"'](?:d${member})([A-Za-z0-9_-]{40,})["']`, "gd");
  for (const match of raw.matchAll(/\{[^{}]{40,8000}\}/g)) {
    if (!isKey.test(match[0])) continue;
    for (const { kind, range } of hits(match[0], secretPart, "private_key")) {
      yield { kind, range: [match.index + range[0], match.index + range[1]] };
    }
  }
}
function* callsOfWeChat({ code }) {
  yield* hits(code, /((?:https?:)?\/\/(?:sh\.|sz\.|hk\.)?api2?\.weixin\.qq\.com)(?![\w.-])/gd, "wechat_call");
  yield* hits(code, /["'`]((?:sh\.|sz\.|hk\.)?api2?\.weixin\.qq\.com)(?![\w.-])/gd, "wechat_call");
}
function* hits(text, pattern, kind, holds = () => true) {
  for (const match of text.matchAll(pattern)) {
    const range = match.indices?.[1];
    if (range && holds(match[1] ?? "")) yield { kind, range };
  }
}
function isRandomHex(hex2) {
  return hex2.length === 32 && new Set(hex2).size >= 7 && !/01234567|12345678|abcdef/.test(hex2);
}
function withoutComments(program) {
  const tokens = /(?<!:)\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|<!--[\s\S]*?(?:-->|$)|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|`(?:[^`\\]|\\[\s\S])*`|(?<=(?:[=(,:[!&|?{};+>\n]|\breturn)\s*)\/(?![*/\s])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//g;
  return program.replace(
    tokens,
    (token) => /^(?:\/[/*]|<!--)/.test(token) ? token.replace(/[^\n]/g, " ") : token
  );
}

export {
  leakTexts,
  leaksIn
};
