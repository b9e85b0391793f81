// node node.js <script>: runs it on this Node's V8 alone, in a context without Node. Written for Node 6.
var fs = require('fs')
var vm = require('vm')

var file = process.argv[2]
var context = vm.createContext({
  print: function (line) {
    process.stdout.write(line + '\n')
  },
})

process.on('unhandledRejection', function (reason) {
  process.stdout.write('UNHANDLED ' + reason + '\n')
  process.exitCode = 1
})

vm.runInContext(fs.readFileSync(file, 'utf8'), context, { filename: file })

function next() {
  if (context.runNextTimer()) setImmediate(next)
}
setImmediate(next)
