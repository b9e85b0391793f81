// jsc jsc-before.js <script> jsc-after.js: the shell itself says nothing of unhandled rejections.
setUnhandledRejectionCallback(function (_, reason) {
  print('UNHANDLED ' + reason)
  quit(1)
})
