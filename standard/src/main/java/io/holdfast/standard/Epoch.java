package io.holdfast.standard;

/**
 * The fencing token of a cluster: which site owns it, and since the how-manieth change. Ordered by
 * {@code n}, then by site, so that two sites can never own the same epoch (DR-PROTOCOL 3.1).
 *
 * @param n how many times the active site has changed, from 0 (none yet) to 2^55-1
 * @param site the site that owns this epoch
 */
public record Epoch(long n, Site site) implements Comparable<Epoch> {
    /** The largest {@code n}: it must leave room for the site in 64 bits, without the sign. */
    public static final long MAX_N = (1L << 55) - 1;

    /** Checks the range. */
    public Epoch {
        if (n < 0 || n > MAX_N) {
            throw new FormatException("epoch", Long.toString(n), 0, "0 to " + MAX_N);
        }
    }

    /** The 64-bit form {@code n << 8 | site}, as it goes over the wire; its order is that of epochs. */
    public long encoded() {
        return n << 8 | site.code();
    }

    /** Reads {@link #encoded()}. @throws FormatException when the site or the sign is impossible */
    public static Epoch decode(long encoded) {
        return new Epoch(encoded >> 8, Site.ofCode((int) (encoded & 0xff)));
    }

    /** Reads {@link #toString()}, for example {@code 3.dr}. */
    public static Epoch parse(String text) {
        int dot = text.indexOf('.');
        if (dot < 1 || !text.chars().limit(dot).allMatch(c -> c >= '0' && c <= '9') || dot > 17) {
            throw new FormatException("epoch", text, 0, "NUMBER.SITE, for example 3.dr");
        }
        return new Epoch(
                Long.parseLong(text.substring(0, dot)), Site.ofWord(text.substring(dot + 1)));
    }

    /** The smallest epoch above this one that {@code owner} can own with a new {@code n}. */
    public Epoch successor(Site owner) {
        return new Epoch(n + 1, owner);
    }

    @Override
    public int compareTo(Epoch other) {
        return Long.compare(encoded(), other.encoded());
    }

    /** The form people read: {@code 3.dr}. */
    @Override
    public String toString() {
        return n + "." + site.word();
    }
}
