#!/usr/bin/env node
import process from 'node:process'
import { run } from './run.js'

const { argv, cwd, env, stderr, stdin, stdout } = process

process.exitCode = await run(argv.slice(2), {
  env,
  cwd: cwd(),
  now: Date.now,
  print: (text) => stdout.write(`${text}\n`),
  remark: (text) => stderr.write(`${text}\n`),
  isInteractive: Boolean(stdin.isTTY && stdout.isTTY) && !env.CI,
})
