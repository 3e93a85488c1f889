package io.holdfast.chaos.fault;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a small command of the system to its end. */
final class Tool {
    private static final long SECONDS = 60;

    private Tool() {}

    /** What a command said and how it ended. */
    record Result(int exit, String output) {
        boolean good() {
            return exit == 0;
        }
    }

    static Result run(String... command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")));
        Process process = builder.start();
        try {
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("no end after " + SECONDS + " s: " + List.of(command));
            }
            return new Result(process.exitValue(), output.strip());
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException(command[0]);
        }
    }

    static String must(String... command) throws IOException {
        Result result = run(command);
        if (!result.good()) {
            throw new IOException(
                    String.join(" ", command) + ": exit " + result.exit() + ": " + result.output());
        }
        return result.output();
    }
}
