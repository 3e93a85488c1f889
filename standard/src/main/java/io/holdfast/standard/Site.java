package io.holdfast.standard;

/** One of the places where nodes of a cluster stand. The code is part of every {@link Epoch}. */
public enum Site {
    /** The site that takes the backups on an ordinary day. */
    LOCAL(1, "local"),
    /** The disaster-recovery site. */
    DR(2, "dr"),
    /** An optional third place that votes and stores no backup; it is never active. */
    WITNESS(3, "witness");

    private final int code;
    private final String word;

    Site(int code, String word) {
        this.code = code;
        this.word = word;
    }

    /** The number of this site in an encoded epoch, 1 to 3. */
    public int code() {
        return code;
    }

    /** The word for this site in files and on screens: {@code local}, {@code dr}, {@code witness}. */
    public String word() {
        return word;
    }

    /** The other backup site. @throws IllegalStateException for the witness, which has none */
    public Site peer() {
        return switch (this) {
            case LOCAL -> DR;
            case DR -> LOCAL;
            case WITNESS -> throw new IllegalStateException("the witness has no peer site");
        };
    }

    /** The site of a code. @throws FormatException when no site has it */
    public static Site ofCode(int code) {
        for (Site site : values()) {
            if (site.code == code) {
                return site;
            }
        }
        throw new FormatException(
                "site code", Integer.toString(code), 0, "1 (local), 2 (dr) or 3 (witness)");
    }

    /** The site of a word. @throws FormatException when no site has it */
    public static Site ofWord(String word) {
        for (Site site : values()) {
            if (site.word.equals(word)) {
                return site;
            }
        }
        throw new FormatException("site", word, 0, "local, dr or witness");
    }
}
