/** Takes memory outside the JavaScript heap until it is stopped. */
const hoard = [];
for (;;) hoard.push(Buffer.alloc(4 * 1024 * 1024, 1));
