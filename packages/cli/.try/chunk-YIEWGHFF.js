// packages/cli/src/errors.ts
var CliError = class extends Error {
  name = "CliError";
  code;
  text;
  constructor(code, text, options = {}) {
    super(text.en, options);
    this.code = code;
    this.text = text;
  }
};

export {
  CliError
};
