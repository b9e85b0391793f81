import {
  leakTexts
} from "./chunk-3XZILJAZ.js";
import {
  CliError
} from "./chunk-YIEWGHFF.js";
import {
  exitCodes
} from "./chunk-MTZMFEML.js";

// packages/cli/src/scan.ts
import { resolve as resolve2 } from "node:path";

// packages/cli/src/project/files.ts
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
var notOurs = /* @__PURE__ */ new Set(["node_modules", ".git", ".svn", ".hg", "coverage", ".cache"]);
var maxFiles = 5e4;
async function filesBelow(folder, without = notOurs) {
  const found = [];
  const open = [folder];
  for (let next = open.pop(); next !== void 0; next = open.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
      const path = join(next, entry.name);
      if (entry.isDirectory() && !without.has(entry.name)) open.push(path);
      if (entry.isFile()) found.push(path);
      if (found.length >= maxFiles) return found;
    }
  }
  return found.sort();
}
async function textOf(file) {
  return readFile(file, "utf8").catch(() => void 0);
}
async function jsonOf(file) {
  const text2 = await textOf(file);
  return text2 === void 0 ? void 0 : objectIn(text2);
}
function objectIn(text2) {
  const plain = text2.replace(/^\uFEFF/, "").replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "$1").replace(/("(?:[^"\\]|\\.)*")|,(\s*[}\]])/g, "$1$2");
  try {
    return asObject(JSON.parse(plain));
  } catch {
    return void 0;
  }
}
function asObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : void 0;
}
var isFolder = async (path) => stat(path).then(
  (found) => found.isDirectory(),
  () => false
);
var exists = async (path) => stat(path).then(
  () => true,
  () => false
);
function shown(cwd, path) {
  return relative(cwd, path).split(sep).join("/") || ".";
}

// packages/cli/src/scan/sarif.ts
var kinds = ["app_secret", "session_key", "private_key", "wechat_call"];
function sarifOf(leaks, { say, uriOf }) {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "wxlogin",
            informationUri: "https://github.com/wxlogin/wxlogin",
            rules: kinds.map((kind) => ({
              id: kind,
              shortDescription: { text: say(leakTexts[kind]) },
              defaultConfiguration: { level: "error" }
            }))
          }
        },
        results: leaks.map(({ kind, file, inside, line, column }) => ({
          ruleId: kind,
          ruleIndex: kinds.indexOf(kind),
          level: "error",
          message: { text: inside ? `${inside}: ${say(leakTexts[kind])}` : say(leakTexts[kind]) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(uriOf(file)) },
                // A place inside of a package is none in the package.
                ...!inside && { region: { startLine: line, startColumn: column } }
              }
            }
          ]
        }))
      }
    ]
  };
}

// packages/cli/src/scan/scan-files.ts
import { readFile as readFile2, stat as stat2 } from "node:fs/promises";
import { extname, sep as sep2 } from "node:path";

// packages/cli/src/project/mini-programs.ts
import { dirname, join as join2, resolve } from "node:path";
var text = (value) => typeof value === "string" && value !== "" ? value : void 0;
async function findMiniPrograms(start) {
  const files = (await filesBelow(start)).filter((file) => !file.includes("miniprogram_npm"));
  const named = (name) => files.filter((file) => file.endsWith(`${sepOf(file)}${name}`));
  const configured = await Promise.all(named("project.config.json").map(ofProjectConfig));
  const uniApps = await Promise.all(named("manifest.json").map(ofManifest));
  const known = [...configured, ...uniApps].filter((one) => one !== void 0);
  const isKnown = (folder) => known.some(
    ({ shippedFolders, folder: home }) => [home, ...shippedFolders].some((one) => folder === one || folder.startsWith(one + sepOf(one)))
  );
  const bare = await Promise.all(
    named("app.json").filter((file) => !isKnown(dirname(file))).map(ofAppJson)
  );
  return [...known, ...bare.filter((one) => one !== void 0)];
}
var sepOf = (path) => path.includes("\\") ? "\\" : "/";
async function ofProjectConfig(configFile) {
  const config = await jsonOf(configFile);
  if (!config) return void 0;
  const folder = dirname(configFile);
  const framework = await frameworkOf(folder);
  if (framework === "native" && await frameworkOf(dirname(folder)) !== "native") return void 0;
  const root = join2(folder, text(config.miniprogramRoot) ?? text(config.srcMiniprogramRoot) ?? "");
  const plugin = text(config.pluginRoot);
  const source = join2(folder, "src");
  return {
    folder,
    framework,
    configFile,
    appId: text(config.appid),
    libVersion: text(config.libVersion),
    root,
    shippedFolders: [
      ...framework === "native" || await isFolder(root) ? [root] : [],
      ...framework === "native" ? [] : [source],
      ...plugin ? [join2(folder, plugin)] : []
    ],
    notShipped: [
      ...[text(config.cloudfunctionRoot)].flatMap((path) => path ? [resolve(folder, path)] : []),
      ...leftOut(config).map((path) => resolve(root, path))
    ],
    config
  };
}
function leftOut(config) {
  const ignore = asObject(config.packOptions)?.ignore;
  if (!Array.isArray(ignore)) return [];
  return ignore.flatMap((one) => {
    const { type, value } = asObject(one) ?? {};
    const isPath = type === "file" || type === "folder";
    return isPath && typeof value === "string" ? [value.replace(/^\/+/, "")] : [];
  });
}
async function ofManifest(configFile) {
  const manifest = await jsonOf(configFile);
  const config = asObject(manifest?.["mp-weixin"]);
  if (!config) return void 0;
  const source = dirname(configFile);
  const home = source.endsWith("src") ? dirname(source) : source;
  const builds = ["dist/build/mp-weixin", "dist/dev/mp-weixin", "unpackage/dist/build/mp-weixin"].map(
    (path) => join2(home, path)
  );
  const built = await Promise.all(builds.map(isFolder));
  return {
    folder: home,
    framework: "uni-app",
    configFile,
    appId: text(config.appid),
    libVersion: text(config.libVersion),
    root: source,
    shippedFolders: [source, ...builds.filter((_, n) => built[n])],
    notShipped: [],
    config
  };
}
async function ofAppJson(file) {
  const app = await jsonOf(file);
  if (!Array.isArray(app?.pages)) return void 0;
  const folder = dirname(file);
  return {
    folder,
    framework: "native",
    configFile: file,
    appId: void 0,
    libVersion: void 0,
    root: folder,
    shippedFolders: [folder],
    notShipped: [],
    config: {}
  };
}
async function frameworkOf(folder) {
  const packageJson = await jsonOf(join2(folder, "package.json"));
  const names = Object.keys({
    ...asObject(packageJson?.dependencies),
    ...asObject(packageJson?.devDependencies)
  });
  if (names.some((name) => name.startsWith("@tarojs/"))) return "taro";
  return names.some((name) => name.startsWith("@dcloudio/")) ? "uni-app" : "native";
}

// packages/cli/src/scan/wxapkg.ts
var maxFiles2 = 2e4;
var maxNameBytes = 1024;
function readWxapkg(bytes) {
  if (bytes.subarray(0, 6).toString("latin1") === "V1MMWX") return "encrypted";
  if (bytes.length < 18 || bytes[0] !== 190 || bytes[13] !== 237) return "damaged";
  const count = bytes.readUInt32BE(14);
  const indexEnd = 18 + bytes.readUInt32BE(5);
  if (count > maxFiles2) return "too_large";
  if (indexEnd - 4 > bytes.length) return "damaged";
  const files = [];
  let at = 18;
  let total = 0;
  for (let n = 0; n < count; n++) {
    if (at + 4 > Math.min(indexEnd, bytes.length)) return "damaged";
    const nameBytes = bytes.readUInt32BE(at);
    const nameEnd = at + 4 + nameBytes;
    if (nameBytes > maxNameBytes || nameEnd + 8 > Math.min(indexEnd, bytes.length)) return "damaged";
    const offset = bytes.readUInt32BE(nameEnd);
    const size = bytes.readUInt32BE(nameEnd + 4);
    if (offset + size > bytes.length) return "damaged";
    total += size;
    if (total > bytes.length) return "damaged";
    files.push({
      name: bytes.toString("utf8", at + 4, nameEnd),
      content: bytes.subarray(offset, offset + size)
    });
    at = nameEnd + 8;
  }
  return files;
}

// packages/cli/src/scan/scan-files.ts
var maxBytes = 64 * 1024 * 1024;
var isSourceMap = (name) => name.endsWith(".map");
var notUploaded = /(?:^|[\\/])(?:[^\\/]*\.md|LICENSE|package-lock\.json|pnpm-lock\.yaml|yarn\.lock)$/i;
var isKeyFile = (name) => /\.(?:p12|pfx)$/i.test(name);
async function whatShips(path) {
  if (!await isFolder(path)) return { paths: [path], without: [] };
  const miniPrograms = await findMiniPrograms(path);
  const paths = new Set(miniPrograms.flatMap(({ shippedFolders }) => shippedFolders));
  return {
    paths: paths.size > 0 ? [...paths] : [path],
    without: miniPrograms.flatMap(({ notShipped }) => notShipped)
  };
}
async function scanPaths({ paths, without }) {
  const files = /* @__PURE__ */ new Set();
  for (const path of paths) {
    if (await isFolder(path)) for (const file of await filesBelow(path)) files.add(file);
    else files.add(path);
  }
  const leaks = [];
  const skipped = [];
  const look = await createLook();
  let count = 0;
  for (const file of files) {
    const isShipped = !without.some((one) => file === one || file.startsWith(one + sep2));
    if (!isShipped || notUploaded.test(file)) continue;
    count++;
    const bytes = await read(file);
    const found = typeof bytes === "string" ? bytes : await look(file, bytes);
    if (typeof found === "string") skipped.push({ file, why: found });
    else leaks.push(...found);
  }
  return { files: count, leaks, skipped };
}
async function read(file) {
  try {
    if ((await stat2(file)).size > maxBytes) return "too_large";
    return await readFile2(file);
  } catch {
    return "unreadable";
  }
}
async function createLook() {
  const { lintSource } = await import("@secretlint/core");
  const { creator } = await import("./secretlint-rule-I5FWFKG2.js");
  const config = { rules: [{ id: creator.meta.id, rule: creator }] };
  async function lookAtText({ file, inside }, content) {
    const filePath = inside ?? file;
    const { messages } = await lintSource({
      source: { filePath, ext: extname(filePath), content, contentType: "text" },
      options: { config, noPhysicFilePath: true }
    });
    return messages.map(({ messageId, loc: { start } }) => ({
      kind: kindOf(messageId),
      file,
      ...inside !== void 0 && { inside },
      line: start.line,
      column: start.column + 1
    }));
  }
  async function lookAtBytes(place, bytes) {
    const name = place.inside ?? place.file;
    if (isKeyFile(name)) return [{ kind: "private_key", ...place, line: 1, column: 1 }];
    if (bytes.subarray(0, 8192).includes(0)) return [];
    const content = bytes.toString("utf8");
    const sources = isSourceMap(name) ? sourcesIn(content) : void 0;
    if (!sources) return lookAtText(place, content);
    const before = place.inside === void 0 ? "" : `${place.inside}!/`;
    const found = [];
    for (const [source, text2] of sources) {
      found.push(...await lookAtText({ file: place.file, inside: `${before}${source}` }, text2));
    }
    return found;
  }
  return async (file, bytes) => {
    if (!file.endsWith(".wxapkg")) return lookAtBytes({ file }, bytes);
    const packed = readWxapkg(bytes);
    if (typeof packed === "string") return packed;
    const found = [];
    for (const { name, content } of packed) {
      found.push(...await lookAtBytes({ file, inside: name }, content));
    }
    return found;
  };
}
function kindOf(messageId) {
  switch (messageId) {
    case "session_key":
    case "private_key":
    case "wechat_call":
      return messageId;
    default:
      return "app_secret";
  }
}
function sourcesIn(map) {
  const parsed = objectIn(map);
  const { sources, sourcesContent } = parsed ?? {};
  if (!Array.isArray(sources) || !Array.isArray(sourcesContent)) return void 0;
  return sourcesContent.flatMap(
    (text2, n) => typeof text2 === "string" ? [[String(sources[n] ?? n), text2]] : []
  );
}

// packages/cli/src/scan.ts
var scan = {
  usage: "[path] [--json | --sarif]",
  maxWords: 1,
  options: {
    json: { about: { en: "Prints JSON", zh: "\u8F93\u51FA JSON" } },
    sarif: {
      about: { en: "Prints SARIF 2.1.0, for code hosts", zh: "\u8F93\u51FA SARIF 2.1.0\uFF0C\u4F9B\u4EE3\u7801\u6258\u7BA1\u5E73\u53F0\u4F7F\u7528" }
    }
  },
  notes: {
    en: `Looks for AppSecrets, session_keys, private keys and calls of api.weixin.qq.com, in the source, in what was
built, and in .wxapkg packages. Where there are mini programs below the path (default: here), only what they ship is
looked at, else everything. What was found is not printed, only where it is. In secretlint the same is the rule
wxlogin/secretlint-rule.`,
    zh: `\u5728\u6E90\u7801\u3001\u6784\u5EFA\u4EA7\u7269\u548C .wxapkg \u5305\u91CC\u67E5\u627E AppSecret\u3001session_key\u3001\u79C1\u94A5\uFF0C\u4EE5\u53CA\u5BF9 api.weixin.qq.com \u7684\u8C03\u7528\u3002
\u8DEF\u5F84\uFF08\u9ED8\u8BA4\u5F53\u524D\u76EE\u5F55\uFF09\u4E0B\u9762\u6709\u5C0F\u7A0B\u5E8F\u65F6\uFF0C\u53EA\u770B\u5C0F\u7A0B\u5E8F\u4F1A\u53D1\u5E03\u7684\u5185\u5BB9\uFF0C\u5426\u5219\u770B\u5168\u90E8\u3002\u53EA\u8F93\u51FA\u4F4D\u7F6E\uFF0C\u4E0D\u8F93\u51FA\u627E\u5230\u7684\u5185\u5BB9\u3002
\u5728 secretlint \u91CC\u5BF9\u5E94\u7684\u89C4\u5219\u662F wxlogin/secretlint-rule\u3002`
  },
  async run({ words: [path = "."], has, print, remark, say, cwd }) {
    if (has("json") && has("sarif")) {
      throw new CliError("usage", {
        en: "Choose one of --json and --sarif",
        zh: "--json \u548C --sarif \u53EA\u80FD\u9009\u4E00\u4E2A"
      });
    }
    const start = resolve2(cwd, path);
    if (!await exists(start)) {
      throw new CliError("failed", { en: `There is no ${path}`, zh: `\u6CA1\u6709 ${path}` });
    }
    const { files, leaks, skipped } = await scanPaths(await whatShips(start));
    const show = (file) => shown(cwd, file);
    if (has("sarif")) print(JSON.stringify(sarifOf(leaks, { say, uriOf: show }), void 0, 2));
    else if (has("json")) print(JSON.stringify(jsonOf2(), void 0, 2));
    else printText();
    if (has("sarif")) for (const one of skipped) remark(skippedLine(one, show, say));
    if (leaks.length > 0) return exitCodes.found;
    return skipped.length > 0 ? exitCodes.failed : exitCodes.fine;
    function jsonOf2() {
      return {
        files,
        leaks: leaks.map((leak) => ({
          ...leak,
          file: show(leak.file),
          message: say(leakTexts[leak.kind])
        })),
        skipped: skipped.map((one) => ({ ...one, file: show(one.file) }))
      };
    }
    function printText() {
      for (const leak of leaks) print(`${placeOf(leak, show)}  ${say(leakTexts[leak.kind])}`);
      for (const one of skipped) print(skippedLine(one, show, say));
      print(
        say(
          leaks.length > 0 ? {
            en: `${leaks.length} found in ${files} files`,
            zh: `\u5728 ${files} \u4E2A\u6587\u4EF6\u91CC\u53D1\u73B0 ${leaks.length} \u5904`
          } : { en: `Nothing found in ${files} files`, zh: `${files} \u4E2A\u6587\u4EF6\uFF0C\u6CA1\u6709\u53D1\u73B0\u6CC4\u9732` }
        )
      );
    }
  }
};
function placeOf({ file, inside, line, column }, show) {
  return `${show(file)}${inside ? `!${inside.replace(/^\/?/, "/")}` : ""}:${line}:${column}`;
}
var reasons = {
  encrypted: {
    en: "is encrypted, as WeChat for Windows keeps it, and was not looked at; take the package that DevTools or miniprogram-ci makes",
    zh: "\u662F\u52A0\u5BC6\u7684\uFF08Windows \u5FAE\u4FE1\u7684\u7F13\u5B58\u5C31\u662F\u8FD9\u6837\uFF09\uFF0C\u6CA1\u6709\u68C0\u67E5\uFF1B\u8BF7\u7528\u5F00\u53D1\u8005\u5DE5\u5177\u6216 miniprogram-ci \u751F\u6210\u7684\u5305"
  },
  damaged: {
    en: "is no package of WeChat, or damaged, and was not looked at",
    zh: "\u4E0D\u662F\u5FAE\u4FE1\u7684\u5305\uFF0C\u6216\u5DF2\u635F\u574F\uFF0C\u6CA1\u6709\u68C0\u67E5"
  },
  too_large: { en: "is too large and was not looked at", zh: "\u592A\u5927\uFF0C\u6CA1\u6709\u68C0\u67E5" },
  unreadable: { en: "cannot be read and was not looked at", zh: "\u65E0\u6CD5\u8BFB\u53D6\uFF0C\u6CA1\u6709\u68C0\u67E5" }
};
function skippedLine({ file, why }, show, say) {
  return `${show(file)}  ${say(reasons[why])}`;
}
export {
  scan
};
