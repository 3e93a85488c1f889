package io.holdfast.chaos.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.node.cli.HoldfastCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Runs {@code holdfast} commands that are read from standard input, a JSON array of arguments a
 * line, and answers each with a line {@code {"exit", "out", "err"}}. Ends with its input.
 */
public final class DeskProgram {
    private static final ObjectMapper JSON = new ObjectMapper();

    private DeskProgram() {}

    /** Runs it. */
    public static void main(String[] none) throws IOException {
        PrintStream answers = System.out;
        System.setOut(System.err);
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            int exit =
                    HoldfastCommand.run(
                            new PrintWriter(out, true),
                            new PrintWriter(err, true),
                            JSON.readValue(line, String[].class));
            answers.println(
                    JSON.writeValueAsString(
                            Map.of("exit", exit, "out", out.toString(), "err", err.toString())));
            answers.flush();
        }
        System.exit(0);
    }
}
