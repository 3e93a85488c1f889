package io.holdfast.modeswitch;

import io.holdfast.standard.FormatException;
import io.holdfast.standard.Site;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a member's machine is told once.
 *
 * @param site its own site
 * @param self its member id, {@code node#incarnation}
 * @param ownMembers the admitted members of its own site, itself among them: 1 to 3. For the witness:
 *     those of the local site
 * @param peerMembers the members of the other site, 1 to 3. For the witness: those of the DR site
 * @param degradeMillis silence of the peer after which SYNC is left, milliseconds
 * @param stableMillis how long CATCHUP must have drawn level before SYNC, milliseconds
 * @param attemptMillis how long a promotion may wait for promises, milliseconds
 * @param profile who decides that a site is lost
 */
public record SiteConfig(
        Site site,
        String self,
        Set<String> ownMembers,
        Set<String> peerMembers,
        long degradeMillis,
        long stableMillis,
        long attemptMillis,
        Profile profile) {
    /** Silence of 10 s degrades (t_degrade). */
    public static final long DEGRADE_MILLIS = 10_000;

    /** 30 s level before SYNC. */
    public static final long STABLE_MILLIS = 30_000;

    /** 60 s for the promises of one's own site. */
    public static final long ATTEMPT_MILLIS = 60_000;

    /** Copies the sets and checks the sizes. */
    public SiteConfig {
        ownMembers = java.util.Collections.unmodifiableSet(new TreeSet<>(ownMembers));
        peerMembers = java.util.Collections.unmodifiableSet(new TreeSet<>(peerMembers));
        if (site == Site.WITNESS && !profile.witness().equals(self)) {
            throw new FormatException("witness", self, 0, "the profile's, " + profile.witness());
        }
        if (site != Site.WITNESS && !ownMembers.contains(self)) {
            throw new FormatException("member", self, 0, "one of " + ownMembers);
        }
        checkSize(ownMembers);
        checkSize(peerMembers);
    }

    /** A configuration of profile P2. */
    public SiteConfig(
            Site site,
            String self,
            Set<String> ownMembers,
            Set<String> peerMembers,
            long degradeMillis,
            long stableMillis,
            long attemptMillis) {
        this(
                site,
                self,
                ownMembers,
                peerMembers,
                degradeMillis,
                stableMillis,
                attemptMillis,
                Profile.p2());
    }

    /** A configuration of profile P2 with the times of the protocol. */
    public static SiteConfig of(
            Site site, String self, Set<String> ownMembers, Set<String> peerMembers) {
        return new SiteConfig(
                site, self, ownMembers, peerMembers, DEGRADE_MILLIS, STABLE_MILLIS, ATTEMPT_MILLIS);
    }

    /** The same in another profile. */
    public SiteConfig with(Profile other) {
        return new SiteConfig(
                site,
                self,
                ownMembers,
                peerMembers,
                degradeMillis,
                stableMillis,
                attemptMillis,
                other);
    }

    private static void checkSize(Set<String> members) {
        if (members.isEmpty() || members.size() > 3) {
            throw new FormatException("members of a site", members.toString(), 0, "1 to 3");
        }
    }

    /** The members of a backup site. */
    public Set<String> membersOf(Site of) {
        return (of == Site.DR) == (site == Site.DR) ? ownMembers : peerMembers;
    }

    /** Members of the own site whose promises a promotion needs: 1 of 1, 2 of 2, 2 of 3. */
    public int ownQuorum() {
        return ownMembers.size() / 2 + 1;
    }

    /** Members of the other site whose word a confirmation needs: 1 of 1, 2 of 2, 2 of 3. */
    public int peerQuorum() {
        return peerMembers.size() / 2 + 1;
    }
}
