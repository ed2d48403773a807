/** `--import` of processes whose memory is measured: answers a message with what is in use after a full collection. */
process.on('message', () => {
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed } = process.memoryUsage();
  process.send({ rss, heapUsed });
});
// Listening must not keep a process alive that wants to end.
process.channel?.unref();
