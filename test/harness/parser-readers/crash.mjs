/** Ends as the engine ends a process that it cannot give more memory. */
process.kill(process.pid, 'SIGABRT');
