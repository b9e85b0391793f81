import {
  exitCodes
} from "./chunk-MTZMFEML.js";

// packages/cli/src/keygen.ts
import {
  createHash,
  generateKeyPair,
  randomBytes
} from "node:crypto";
import { promisify } from "node:util";
var algorithms = ["ES256", "EdDSA", "RS256"];
var keygen = {
  usage: "[--jwk ES256|EdDSA|RS256] [--json]",
  maxWords: 0,
  options: {
    jwk: {
      value: "ALGORITHM",
      values: algorithms,
      about: {
        en: "A pair of signing keys instead: ES256 (nearly everything verifies it), EdDSA or RS256",
        zh: "\u6539\u4E3A\u751F\u6210\u4E00\u5BF9\u7B7E\u540D\u5BC6\u94A5\uFF1AES256\uFF08\u51E0\u4E4E\u90FD\u80FD\u9A8C\u8BC1\uFF09\u3001EdDSA \u6216 RS256"
      }
    },
    json: { about: { en: "Prints JSON", zh: "\u8F93\u51FA JSON" } }
  },
  notes: {
    en: `What is printed fits a .env file: wxlogin keygen >> .env
  WXLOGIN_SECRET       createAuth({ secret: process.env.WXLOGIN_SECRET })
  WXLOGIN_KEY          createAuth({ signingKeys: [JSON.parse(process.env.WXLOGIN_KEY)] })
  WXLOGIN_PUBLIC_KEY   the part without the secret, for instances and services that only verify`,
    zh: `\u8F93\u51FA\u53EF\u4EE5\u76F4\u63A5\u5199\u8FDB .env \u6587\u4EF6\uFF1Awxlogin keygen >> .env
  WXLOGIN_SECRET       createAuth({ secret: process.env.WXLOGIN_SECRET })
  WXLOGIN_KEY          createAuth({ signingKeys: [JSON.parse(process.env.WXLOGIN_KEY)] })
  WXLOGIN_PUBLIC_KEY   \u4E0D\u542B\u79C1\u94A5\u7684\u90E8\u5206\uFF0C\u7ED9\u53EA\u505A\u9A8C\u8BC1\u7684\u5B9E\u4F8B\u548C\u670D\u52A1`
  },
  async run({ value, has, print, remark, say }) {
    const algorithm = algorithms.find((name) => name === value("jwk"));
    const made = algorithm ? await makePair(algorithm) : { secret: makeSecret() };
    const steps = algorithm ? pairSteps : secretSteps;
    if (has("json")) {
      print(JSON.stringify({ ...made, rotation: steps.map(say) }, void 0, 2));
      return exitCodes.fine;
    }
    if ("secret" in made) print(`WXLOGIN_SECRET='${made.secret}'`);
    else {
      print(`WXLOGIN_KEY='${JSON.stringify(made.privateKey)}'`);
      print(`WXLOGIN_PUBLIC_KEY='${JSON.stringify(made.publicKey)}'`);
    }
    remark(["", ...steps.map((step, n) => n === 0 ? say(step) : `  ${n}. ${say(step)}`)].join("\n"));
    return exitCodes.fine;
  }
};
var makeSecret = () => randomBytes(48).toString("base64url");
async function makePair(alg) {
  const { privateKey } = await generate(alg);
  const secretPart = privateKey.export({ format: "jwk" });
  const publicPart = withoutSecret(secretPart);
  const about = { kid: thumbprintOf(publicPart), alg, use: "sig" };
  return { privateKey: { ...secretPart, ...about }, publicKey: { ...publicPart, ...about } };
}
function generate(alg) {
  const make = promisify(generateKeyPair);
  if (alg === "ES256") return make("ec", { namedCurve: "P-256" });
  if (alg === "EdDSA") return make("ed25519", {});
  return make("rsa", { modulusLength: 2048 });
}
function withoutSecret({ kty, crv, x, y, n, e }) {
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e }));
}
function thumbprintOf({ crv, e, kty, n, x, y }) {
  return createHash("sha256").update(JSON.stringify({ crv, e, kty, n, x, y })).digest("base64url");
}
var secretSteps = [
  {
    en: "Keep it where only your servers read it. To replace an old one, three deploys that no user notices, each complete before the next:",
    zh: "\u653E\u5728\u53EA\u6709\u670D\u52A1\u5668\u80FD\u8BFB\u5230\u7684\u5730\u65B9\u3002\u8981\u6362\u6389\u65E7\u7684\uFF0C\u5206\u4E09\u6B21\u53D1\u5E03\uFF0C\u7528\u6237\u4E0D\u4F1A\u5BDF\u89C9\uFF1B\u6BCF\u4E00\u6B65\u5168\u90E8\u5B9E\u4F8B\u5230\u4F4D\u4E4B\u540E\u518D\u505A\u4E0B\u4E00\u6B65\uFF1A"
  },
  {
    en: "secret: [old, new], so that every instance can verify what the new one signs",
    zh: "secret: [\u65E7, \u65B0]\uFF0C\u6240\u6709\u5B9E\u4F8B\u90FD\u80FD\u9A8C\u8BC1\u65B0\u7684\u7B7E\u540D"
  },
  { en: "secret: [new, old], so that the new one signs", zh: "secret: [\u65B0, \u65E7]\uFF0C\u5F00\u59CB\u7528\u65B0\u7684\u7B7E\u540D" },
  {
    en: "secret: [new], after idleTtlSeconds (30 days). If the old one has leaked, do this at once: clients log in again silently",
    zh: "secret: [\u65B0]\uFF0C\u7B49 idleTtlSeconds\uFF0830 \u5929\uFF09\u8FC7\u540E\u3002\u5982\u679C\u65E7\u7684\u5DF2\u7ECF\u6CC4\u9732\uFF0C\u9A6C\u4E0A\u505A\u8FD9\u4E00\u6B65\uFF1A\u5BA2\u6237\u7AEF\u4F1A\u9759\u9ED8\u91CD\u65B0\u767B\u5F55"
  }
];
var pairSteps = [
  {
    en: "Keep WXLOGIN_KEY where only your servers read it. To replace an old one, three deploys, each complete before the next:",
    zh: "WXLOGIN_KEY \u653E\u5728\u53EA\u6709\u670D\u52A1\u5668\u80FD\u8BFB\u5230\u7684\u5730\u65B9\u3002\u8981\u6362\u6389\u65E7\u7684\uFF0C\u5206\u4E09\u6B21\u53D1\u5E03\uFF0C\u6BCF\u4E00\u6B65\u5168\u90E8\u5B9E\u4F8B\u5230\u4F4D\u4E4B\u540E\u518D\u505A\u4E0B\u4E00\u6B65\uFF1A"
  },
  {
    en: "signingKeys: [old, new], and wait 5 minutes, in which other services fetch the new one from /jwks.json",
    zh: "signingKeys: [\u65E7, \u65B0]\uFF0C\u518D\u7B49 5 \u5206\u949F\uFF0C\u8BA9\u5176\u4ED6\u670D\u52A1\u4ECE /jwks.json \u53D6\u5230\u65B0\u7684"
  },
  {
    en: "signingKeys: [new, old], and wait accessTtlSeconds (15 minutes) and 30 seconds",
    zh: "signingKeys: [\u65B0, \u65E7]\uFF0C\u518D\u7B49 accessTtlSeconds\uFF0815 \u5206\u949F\uFF09\u52A0 30 \u79D2"
  },
  {
    en: "signingKeys: [new]. If the old one has leaked, do this at once: clients renew, and nobody is logged out",
    zh: "signingKeys: [\u65B0]\u3002\u5982\u679C\u65E7\u7684\u5DF2\u7ECF\u6CC4\u9732\uFF0C\u9A6C\u4E0A\u505A\u8FD9\u4E00\u6B65\uFF1A\u5BA2\u6237\u7AEF\u4F1A\u7EED\u671F\uFF0C\u6CA1\u6709\u4EBA\u4F1A\u88AB\u767B\u51FA"
  }
];
export {
  keygen
};
