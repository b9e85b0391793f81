// What a phone at the platform's floor has: the language of 2015 and nothing around it. Newer engines lose the rest.
var onlyEs2015 = this
var removed = {
  // Around the language: the web's, Node's, and what engines' shells bring.
  '': [
    'globalThis',
    'console',
    'process',
    'Buffer',
    'URL',
    'URLSearchParams',
    'fetch',
    'TextEncoder',
    'crypto',
    'AbortController',
    'queueMicrotask',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'setImmediate',
    'structuredClone',
    'WebAssembly',
    'SharedArrayBuffer',
    'Atomics',
    'BigInt',
    'WeakRef',
    'FinalizationRegistry',
    'AggregateError',
    'Iterator',
    'performance',
    'btoa',
    'atob',
    'Intl',
    'load',
    'readFile',
    'run',
    'eval',
    'Proxy',
  ],
  Object: ['entries', 'values', 'fromEntries', 'getOwnPropertyDescriptors', 'hasOwn', 'groupBy'],
  Promise: ['allSettled', 'any', 'withResolvers', 'try'],
  'Promise.prototype': ['finally'],
  'Array.prototype': [
    'includes',
    'flat',
    'flatMap',
    'at',
    'findLast',
    'findLastIndex',
    'toSorted',
    'toReversed',
    'with',
    'values',
  ],
  'String.prototype': [
    'padStart',
    'padEnd',
    'trimStart',
    'trimEnd',
    'matchAll',
    'replaceAll',
    'at',
    'isWellFormed',
  ],
  'Symbol.prototype': ['description'],
  'RegExp.prototype': ['dotAll', 'hasIndices'],
}

Object.keys(removed).forEach(function (path) {
  var owner = path.split('.').reduce(function (value, name) {
    return name === '' ? value : value[name]
  }, onlyEs2015)
  removed[path].forEach(function (name) {
    delete owner[name]
  })
})
