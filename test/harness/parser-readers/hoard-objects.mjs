/** Takes memory of the JavaScript heap until it is stopped. */
const hoard = [];
for (;;) hoard.push({ hoard: hoard.length, text: `text ${hoard.length}` });
