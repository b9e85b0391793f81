#!/usr/bin/env node
import {
  nearest
} from "./chunk-YW3QEEZT.js";
import {
  CliError
} from "./chunk-YIEWGHFF.js";
import {
  exitCodes
} from "./chunk-MTZMFEML.js";

// packages/cli/src/main.ts
import process from "node:process";

// packages/cli/src/arguments.ts
import { parseArgs } from "node:util";

// packages/cli/src/text.ts
var languages = ["en", "zh"];
function systemLanguage(env2, systemLocale = Intl.DateTimeFormat().resolvedOptions().locale) {
  const locale = env2.LC_ALL || env2.LC_MESSAGES || env2.LANG || systemLocale;
  return /^zh\b|^zh_/i.test(locale) ? "zh" : "en";
}

// packages/cli/src/arguments.ts
var everywhere = {
  lang: {
    value: "LANGUAGE",
    values: languages,
    about: {
      en: "en or zh (default: the language of the system)",
      zh: "en \u6216 zh\uFF08\u9ED8\u8BA4\uFF1A\u7CFB\u7EDF\u7684\u8BED\u8A00\uFF09"
    }
  },
  help: { about: { en: "Shows this", zh: "\u663E\u793A\u672C\u8BF4\u660E" } }
};
function readArguments(args, command) {
  const known = { ...command.options, ...everywhere };
  const numbers = args.filter((arg) => /^-\d+$/.test(arg));
  const { tokens } = parseArgs({
    args: args.filter((arg) => !numbers.includes(arg)),
    options: {
      help: { type: "boolean", short: "h" },
      ...Object.fromEntries(
        Object.entries(known).map(([name, { value }]) => [
          name,
          { type: value === void 0 ? "boolean" : "string", ...name === "help" && { short: "h" } }
        ])
      )
    },
    allowPositionals: true,
    strict: false,
    tokens: true
  });
  const options = /* @__PURE__ */ new Map();
  const words = [...numbers];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind === "option") {
      options.set(token.name, valueOf(token.name, token.rawName, token.value, known));
    }
  }
  const [tooMuch] = words.slice(command.maxWords);
  if (tooMuch !== void 0) {
    throw new CliError("usage", {
      en: `There is no place for "${tooMuch}" here; see --help`,
      zh: `\u8FD9\u91CC\u4E0D\u9700\u8981\u201C${tooMuch}\u201D\uFF0C\u89C1 --help`
    });
  }
  return { words, options };
}
function valueOf(name, written, value, known) {
  const option = Object.hasOwn(known, name) ? known[name] : void 0;
  if (!option) {
    const meant = nearest(name, Object.keys(known));
    throw new CliError("usage", {
      en: `There is no option ${written}${meant ? `; did you mean --${meant}?` : "; see --help"}`,
      zh: `\u6CA1\u6709\u9009\u9879 ${written}${meant ? `\uFF0C\u662F\u4E0D\u662F --${meant}\uFF1F` : "\uFF0C\u89C1 --help"}`
    });
  }
  if (option.value === void 0) {
    if (value === void 0) return true;
    throw new CliError("usage", {
      en: `${written} takes no value`,
      zh: `${written} \u540E\u9762\u4E0D\u5E26\u503C`
    });
  }
  if (value === void 0 || value === "") {
    throw new CliError("usage", {
      en: `${written} needs a value: ${written} ${option.value}`,
      zh: `${written} \u9700\u8981\u4E00\u4E2A\u503C\uFF1A${written} ${option.value}`
    });
  }
  if (option.values && !option.values.includes(value)) {
    const meant = nearest(value, option.values);
    throw new CliError("usage", {
      en: `${written} is ${option.values.join(", ")}, not "${value}"${meant ? `; did you mean ${meant}?` : ""}`,
      zh: `${written} \u53EA\u80FD\u662F ${option.values.join("\u3001")}\uFF0C\u4E0D\u80FD\u662F\u201C${value}\u201D${meant ? `\uFF0C\u662F\u4E0D\u662F ${meant}\uFF1F` : ""}`
    });
  }
  return value;
}

// packages/cli/src/commands.ts
var commands = {
  doctor: {
    about: {
      en: "Says what is wrong with a project, and what to do about it",
      zh: "\u68C0\u67E5\u4E00\u4E2A\u9879\u76EE\u54EA\u91CC\u4E0D\u5BF9\uFF0C\u5E76\u8BF4\u660E\u600E\u4E48\u529E"
    },
    load: async () => (await import("./doctor.js")).doctor
  },
  scan: {
    about: {
      en: "Finds secrets in what a mini program ships",
      zh: "\u67E5\u627E\u5C0F\u7A0B\u5E8F\u53D1\u5E03\u5185\u5BB9\u91CC\u6CC4\u9732\u7684\u673A\u5BC6"
    },
    load: async () => (await import("./scan-X7AZPFDK.js")).scan
  },
  keygen: {
    about: {
      en: "Makes a secret, or a pair of signing keys",
      zh: "\u751F\u6210 secret\uFF0C\u6216\u4E00\u5BF9\u7B7E\u540D\u5BC6\u94A5"
    },
    load: async () => (await import("./keygen-5PPOU53C.js")).keygen
  },
  explain: {
    about: {
      en: "Explains an error code of wxlogin, or an errcode of WeChat",
      zh: "\u89E3\u91CA wxlogin \u7684\u9519\u8BEF\u7801\uFF0C\u6216\u5FAE\u4FE1\u7684 errcode"
    },
    load: async () => (await import("./explain-XVD3KEFO.js")).explain
  }
};

// packages/cli/src/help.ts
function helpOfAll(say) {
  return [
    say({
      en: "wxlogin: WeChat Mini Program login, from the command line",
      zh: "wxlogin\uFF1A\u5C0F\u7A0B\u5E8F\u5FAE\u4FE1\u767B\u5F55\u7684\u547D\u4EE4\u884C\u5DE5\u5177"
    }),
    "",
    `${say({ en: "Usage", zh: "\u7528\u6CD5" })}: wxlogin ${say({ en: "<command> [options]", zh: "<\u547D\u4EE4> [\u9009\u9879]" })}`,
    "",
    ...table(Object.entries(commands).map(([name, { about }]) => [name, say(about)])),
    "",
    ...table([
      ...optionRows(everywhere, say),
      ["--version", say({ en: "Shows the version", zh: "\u663E\u793A\u7248\u672C" })]
    ]),
    "",
    say({
      en: "wxlogin <command> --help tells more about one.",
      zh: "wxlogin <\u547D\u4EE4> --help \u67E5\u770B\u67D0\u4E2A\u547D\u4EE4\u7684\u8BF4\u660E\u3002"
    }),
    exits(say)
  ].join("\n");
}
function helpOf(name, about, command, say) {
  return [
    say(about),
    "",
    `${say({ en: "Usage", zh: "\u7528\u6CD5" })}: ${["wxlogin", name, command.usage].filter(Boolean).join(" ")}`,
    "",
    ...table(optionRows({ ...command.options, ...everywhere }, say)),
    ...command.notes ? ["", say(command.notes)] : [],
    "",
    exits(say)
  ].join("\n");
}
var exits = (say) => say({
  en: "Exits with 0: nothing is wrong \xB7 1: something was found \xB7 2: written wrongly \xB7 3: could not be done",
  zh: "\u9000\u51FA\u7801 0\uFF1A\u6CA1\u6709\u95EE\u9898 \xB7 1\uFF1A\u53D1\u73B0\u4E86\u95EE\u9898 \xB7 2\uFF1A\u547D\u4EE4\u5199\u9519\u4E86 \xB7 3\uFF1A\u65E0\u6CD5\u5B8C\u6210"
});
var optionRows = (options, say) => Object.entries(options).map(([name, { value, about }]) => [
  `--${name}${value === void 0 ? "" : ` ${value}`}`,
  say(about)
]);
function table(rows) {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", ...others]) => `  ${first.padEnd(width)}   ${others.join(" ")}`);
}

// packages/cli/src/run.ts
async function run(args, world) {
  const language = languageOf(args, world.env);
  const say = (text) => text[language];
  try {
    const [first, ...others] = args;
    if (first === void 0 || !Object.hasOwn(commands, first)) {
      return await withoutCommand(args, world, say);
    }
    const listed = commands[first];
    if (!listed) return exitCodes.usage;
    const command = await listed.load();
    if (others.some((arg) => arg === "--help" || arg === "-h")) {
      world.print(helpOf(first, listed.about, command, say));
      return exitCodes.fine;
    }
    const { words, options } = readArguments(others, command);
    const value = (option) => {
      const given = options.get(option);
      return given === true ? void 0 : given;
    };
    const has = (option) => options.has(option);
    return await command.run({ ...world, words, value, has, language, say });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    world.remark(`wxlogin: ${say(error.text)}`);
    return exitCodes[error.code];
  }
}
async function withoutCommand(args, world, say) {
  const [first] = args;
  if (first !== void 0 && !first.startsWith("-")) {
    const meant = nearest(first, Object.keys(commands));
    throw new CliError("usage", {
      en: `There is no command ${first}; ${meant ? `did you mean ${meant}?` : `there are ${Object.keys(commands).join(", ")}`}`,
      zh: `\u6CA1\u6709\u547D\u4EE4 ${first}\uFF0C${meant ? `\u662F\u4E0D\u662F ${meant}\uFF1F` : `\u6709\u7684\u662F\uFF1A${Object.keys(commands).join("\u3001")}`}`
    });
  }
  const version = { version: { about: { en: "", zh: "" } } };
  const { options } = readArguments(args, { options: version, maxWords: 0 });
  if (options.has("version")) {
    world.print(await versionOf());
    return exitCodes.fine;
  }
  if (first === void 0 || options.has("help")) {
    world.print(helpOfAll(say));
    return exitCodes.fine;
  }
  throw new CliError("usage", {
    en: "Say which command; see --help",
    zh: "\u8BF7\u5199\u660E\u8981\u8FD0\u884C\u54EA\u4E2A\u547D\u4EE4\uFF0C\u89C1 --help"
  });
}
function languageOf(args, env2) {
  const place = args.indexOf("--lang");
  const wanted = place >= 0 ? args[place + 1] : args.find((arg) => arg.startsWith("--lang="))?.slice(7);
  return languages.find((language) => language === wanted) ?? systemLanguage(env2);
}
async function versionOf() {
  const { readFile } = await import("node:fs/promises");
  const { version } = JSON.parse(
    await readFile(new URL("../package.json", import.meta.url), "utf8")
  );
  return String(version);
}

// packages/cli/src/main.ts
var { argv, cwd, env, stderr, stdin, stdout } = process;
process.exitCode = await run(argv.slice(2), {
  env,
  cwd: cwd(),
  now: Date.now,
  print: (text) => stdout.write(`${text}
`),
  remark: (text) => stderr.write(`${text}
`),
  isInteractive: Boolean(stdin.isTTY && stdout.isTTY) && !env.CI
});
