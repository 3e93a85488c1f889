package io.holdfast.standard;

/**
 * A text that does not have the form it should have. Refused: nothing was done with it. The message
 * names what was read, the text, the position (0-based, in characters) and the expected form.
 */
public final class FormatException extends IllegalArgumentException {
    private final String text;
    private final int position;
    private final String expected;

    /** Tells that {@code what}, read from {@code text}, is wrong at {@code position}. */
    public FormatException(String what, String text, int position, String expected) {
        super(
                "Not a valid "
                        + what
                        + ": '"
                        + abbreviated(text)
                        + "' at position "
                        + position
                        + "; expected "
                        + expected);
        this.text = text;
        this.position = position;
        this.expected = expected;
    }

    /** Tells several problems of one text at once; position and expected form are the first one's. */
    FormatException(String what, String text, java.util.List<FormatException> problems) {
        super(
                "Not a valid "
                        + what
                        + ", "
                        + problems.size()
                        + " problems:\n  - "
                        + problems.stream()
                                .map(FormatException::getMessage)
                                .collect(java.util.stream.Collectors.joining("\n  - ")));
        this.text = text;
        this.position = problems.getFirst().position();
        this.expected = problems.getFirst().expected();
    }

    private static String abbreviated(String text) {
        return text.length() <= 200 ? text : text.substring(0, 200) + "…";
    }

    /** The whole text that was refused. */
    public String text() {
        return text;
    }

    /** Where it is wrong, 0-based, in characters. */
    public int position() {
        return position;
    }

    /** What should stand there. */
    public String expected() {
        return expected;
    }
}
