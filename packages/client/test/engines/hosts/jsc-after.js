do {
  drainMicrotasks()
} while (runNextTimer())
