import {
  leakTexts,
  leaksIn
} from "./chunk-3XZILJAZ.js";

// packages/cli/src/scan/secretlint-rule.ts
var messages = {
  app_secret: translations("app_secret"),
  session_key: translations("session_key"),
  private_key: translations("private_key"),
  wechat_call: translations("wechat_call")
};
var creator = {
  messages,
  meta: {
    id: "wxlogin/secretlint-rule",
    type: "scanner",
    recommended: true,
    supportedContentTypes: ["text"],
    docs: { url: "https://github.com/wxlogin/wxlogin/tree/main/packages/cli" }
  },
  create(context) {
    const t = context.createTranslator(messages);
    return {
      file({ content, ext }) {
        for (const { kind, range } of leaksIn(content, { isProgram: programs.has(ext) })) {
          context.report({ message: t(kind), range });
        }
      }
    };
  }
};
var programs = new Set(
  ["js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx", "wxs", "wxml", "html", "vue"].flatMap(
    (ext) => [ext, `.${ext}`]
  )
);
function translations(kind) {
  return { en: () => leakTexts[kind].en, "zh-CN": () => leakTexts[kind].zh };
}
export {
  creator
};
