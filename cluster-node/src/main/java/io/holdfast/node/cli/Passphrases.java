package io.holdfast.node.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Passphrases come from a file or a prompt, never from a command line (DECISIONS 15). */
final class Passphrases {
    private static final int MIN_CHARS = 8;
    private static final long MAX_BYTES = 4096;

    private Passphrases() {}

    /** The first line of the file, or what is typed; the caller wipes it. */
    static char[] read(@Nullable Path file, boolean twice) throws IOException {
        char[] passphrase = file == null ? prompt(twice) : first(file);
        if (passphrase.length < MIN_CHARS) {
            Arrays.fill(passphrase, '\0');
            throw new Problem(
                    ExitCode.USAGE,
                    "The passphrase has fewer than " + MIN_CHARS + " characters.",
                    "Choose a longer one: it opens every backup.");
        }
        return passphrase;
    }

    private static char[] first(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new Problem(
                    ExitCode.USAGE,
                    "There is no passphrase file " + file + ".",
                    "Write one whose first line is the passphrase, or leave the option out to be"
                            + " asked.");
        }
        if (Files.size(file) > MAX_BYTES) {
            throw new Problem(
                    ExitCode.USAGE,
                    "Passphrase file " + file + " is larger than " + MAX_BYTES + " bytes.",
                    "Only its first line counts.");
        }
        byte[] bytes = Files.readAllBytes(file);
        CharBuffer text = StandardCharsets.UTF_8.decode(ByteBuffer.wrap(bytes));
        Arrays.fill(bytes, (byte) 0);
        int end = 0;
        while (end < text.length() && text.charAt(end) != '\n' && text.charAt(end) != '\r') {
            end++;
        }
        char[] line = new char[end];
        text.get(line);
        if (text.hasArray()) {
            Arrays.fill(text.array(), '\0');
        }
        return line;
    }

    private static char[] prompt(boolean twice) {
        Terminal terminal =
                Terminal.find()
                        .orElseThrow(() ->
                                new Problem(
                                        ExitCode.USAGE,
                                        "A passphrase is needed, and there is no terminal"
                                                + " to ask at.",
                                        "Use --passphrase-file FILE."));
        char[] one = terminal.readPassword("Passphrase: ");
        char[] two = twice ? terminal.readPassword("Again: ") : one;
        if (one == null || two == null || !Arrays.equals(one, two)) {
            throw new Problem(ExitCode.USAGE, "The two passphrases differ.", "Try again.");
        }
        return one;
    }
}
