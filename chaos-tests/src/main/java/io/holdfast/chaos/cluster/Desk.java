package io.holdfast.chaos.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operator's desk on a cluster's network: a process there that runs {@code holdfast} commands one
 * after another ({@link DeskProgram}), without a new JVM for each. Killing it is what interrupts a
 * command. One command at a time.
 */
public final class Desk implements Commands.Holdfast, AutoCloseable {
    /** As a shell says it of a command ended by SIGKILL. */
    public static final int KILLED = 128 + 9;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final BufferedWriter in;
    private final BufferedReader out;

    private Desk(Process process) {
        this.process = process;
        this.in =
                new BufferedWriter(
                        new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        this.out =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** A desk that every machine can be reached from. */
    public static Desk of(ClusterBackend backend) throws IOException {
        return new Desk(
                backend.atDesk(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx256m",
                                "-XX:TieredStopAtLevel=1",
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow",
                                "-cp",
                                System.getProperty("java.class.path"),
                                DeskProgram.class.getName())));
    }

    /** {@inheritDoc} A desk that was killed answers {@link #KILLED}. */
    @Override
    public synchronized int run(PrintWriter stdout, PrintWriter stderr, String... args) {
        @Nullable String answer;
        try {
            in.write(JSON.writeValueAsString(args));
            in.newLine();
            in.flush();
            answer = out.readLine();
            if (answer == null) {
                return KILLED;
            }
            JsonNode said = JSON.readTree(answer);
            stdout.print(said.get("out").asText());
            stdout.flush();
            stderr.print(said.get("err").asText());
            stderr.flush();
            return said.get("exit").asInt();
        } catch (IOException e) {
            return KILLED;
        }
    }

    /** SIGKILL, whatever command is under way. */
    public void kill() {
        process.destroyForcibly();
    }

    @Override
    public void close() {
        kill();
    }
}
