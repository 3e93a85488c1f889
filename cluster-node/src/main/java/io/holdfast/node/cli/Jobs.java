package io.holdfast.node.cli;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.IdentifierView;
import io.holdfast.node.api.JobView;
import io.holdfast.node.api.NodeApi;
import io.holdfast.node.api.Protection;
import io.holdfast.standard.PolicyResource.GreenAt;
import io.holdfast.standard.Uuid7;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Locale;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Starting jobs, watching them, and showing them. */
final class Jobs {
    private static final long POLL_MILLIS = 250;
    private static final long PATIENCE_NANOS = 60_000_000_000L;

    /** How long the other site may be away before a backup is not waited for any more. */
    private static final long AWAY_NANOS = 5_000_000_000L;

    private Jobs() {}

    /** A new id for a job, which is also the id of the wish to start it. */
    static UUID newId() {
        return Uuid7.of(InstantSource.system().millis(), new SecureRandom());
    }

    /**
     * Starts a job. When the answer is lost, looks whether it was started before it says so.
     *
     * @param id what {@code start} asks for
     */
    static JobView start(ClusterClient cluster, UUID id, Function<NodeApi, JobView> start) {
        try {
            return cluster.write(start);
        } catch (ApiException lost) {
            if (lost.kind() != ApiException.Kind.UNKNOWN) {
                throw lost;
            }
            try {
                return cluster.read(api -> api.job(id));
            } catch (ApiException e) {
                throw lost;
            }
        }
    }

    /**
     * Watches a job until it has ended; one that is checkpointed until what goes on with it has, if that is
     * opened soon.
     *
     * @throws ApiException UNKNOWN when no node could tell for a minute
     */
    static JobView await(ClusterClient cluster, JobView started, Output output) {
        JobView job = started;
        long heard = System.nanoTime();
        try (Output.Progress progress = output.progress()) {
            while (job.state() == JobView.State.OPEN || goesOn(job, heard)) {
                progress.show(progressLine(job));
                try {
                    Thread.sleep(POLL_MILLIS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw unknown(job, "the command was interrupted", e);
                }
                try {
                    UUID next = job.continuedBy();
                    UUID id = next == null ? job.id() : next;
                    JobView now = cluster.read(api -> api.job(id));
                    if (now.state() == JobView.State.OPEN || now.state() != job.state()) {
                        heard = System.nanoTime();
                    }
                    job = now;
                } catch (ApiException e) {
                    boolean gone =
                            e.kind() != ApiException.Kind.UNAVAILABLE
                                    && e.kind() != ApiException.Kind.NOT_FOUND;
                    if (gone || System.nanoTime() - heard > PATIENCE_NANOS) {
                        throw unknown(job, String.valueOf(e.getMessage()), e);
                    }
                }
            }
        }
        return job;
    }

    /** Whether another job goes on with a checkpointed backup, or may soon. */
    private static boolean goesOn(JobView job, long since) {
        return job.state() == JobView.State.CHECKPOINTED
                && job.kind().equals("backup")
                && (job.continuedBy() != null || System.nanoTime() - since < PATIENCE_NANOS);
    }

    /**
     * Watches a backup that has ended until it is green.
     *
     * @param level that is waited for; null: what the job's policy asks for
     * @return the job, green or not: it is not waited for while the other site is away
     */
    static JobView awaitGreen(
            ClusterClient cluster, JobView ended, @Nullable GreenAt level, Output output) {
        JobView job = ended;
        long heard = System.nanoTime();
        long away = 0;
        try (Output.Progress progress = output.progress()) {
            while (waits(job, level) && away < AWAY_NANOS) {
                progress.show(
                        "backup "
                                + job.clientName()
                                + "  complete, waiting for "
                                + wanted(job, level).word()
                                + (job.safety().away() ? "  the other site is away" : "")
                                + Text.atRisk(job.safety().rpoAtRisk()));
                long asked = System.nanoTime();
                try {
                    Thread.sleep(POLL_MILLIS);
                    UUID id = job.id();
                    job = cluster.read(api -> api.job(id));
                    heard = System.nanoTime();
                    away = job.safety().away() ? away + heard - asked : 0;
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return job;
                } catch (ApiException e) {
                    if (System.nanoTime() - heard > PATIENCE_NANOS) {
                        throw unknown(job, String.valueOf(e.getMessage()), e);
                    }
                }
            }
        }
        return job;
    }

    private static GreenAt wanted(JobView job, @Nullable GreenAt level) {
        return level == null ? GreenAt.ofWord(job.safety().greenAt()) : level;
    }

    /** Whether a job has ended well, and not reached a level that it still may reach. */
    private static boolean waits(JobView job, @Nullable GreenAt level) {
        String reached = job.safety().reached();
        return job.kind().equals("backup")
                && exitCode(job) == ExitCode.DONE
                && job.state() != JobView.State.OPEN
                && !reached.equals("none")
                && GreenAt.ofWord(reached).compareTo(wanted(job, level)) < 0;
    }

    /** As {@link #exitCode(JobView)}, and 4 for a backup that has not reached a level. */
    static int exitCode(JobView job, @Nullable GreenAt level) {
        return waits(job, level) || lost(job) ? ExitCode.UNKNOWN : exitCode(job);
    }

    private static boolean lost(JobView job) {
        return job.kind().equals("backup")
                && exitCode(job) == ExitCode.DONE
                && job.state() != JobView.State.OPEN
                && job.safety().reached().equals("none");
    }

    private static ApiException unknown(JobView job, String why, Exception cause) {
        return new ApiException(
                ApiException.Kind.UNKNOWN,
                "The outcome of " + job.kind() + " job " + job.id() + " is not known: " + why,
                "It goes on without this command. Look later: holdfast jobs " + job.id() + ".",
                job.epoch(),
                null,
                cause);
    }

    private static String progressLine(JobView job) {
        JobView.Progress p = job.progress();
        return String.format(
                Locale.ROOT,
                "%s %s  %s  %s files  %s read  %s new  %s stored  %s",
                job.kind(),
                job.clientName(),
                p.phase().isEmpty() ? "starting" : p.phase(),
                Text.count(p.files()),
                Text.bytes(p.bytesRead()),
                Text.bytes(p.bytesNew()),
                Text.bytes(p.bytesStored()),
                Text.seconds(p.seconds()));
    }

    /** 0 for a job that is done or running; 1 for one that failed or was cancelled; 4: it goes on later. */
    static int exitCode(JobView job) {
        return switch (job.state()) {
            case OPEN, COMPLETE, COMPLETE_WITH_WARNINGS -> ExitCode.DONE;
            case FAILED, CANCELLED -> ExitCode.FAILED;
            case CHECKPOINTED -> ExitCode.UNKNOWN;
        };
    }

    static String protection(Protection protection) {
        return protection == Protection.NOT_APPLICABLE ? "-" : protection.name();
    }

    /** A job in full. */
    static String show(JobView job) {
        JobView.Progress p = job.progress();
        StringBuilder text = new StringBuilder();
        text.append(title(job)).append('\n');
        if (!job.message().isEmpty()) {
            text.append("  ").append(job.message()).append('\n');
        }
        line(text, "job", job.id().toString());
        UUID piece = job.piece();
        if (piece != null) {
            line(text, "piece", piece.toString());
        }
        if (job.continues() != null) {
            line(text, "goes on", "with job " + job.continues() + ", which was checkpointed");
        }
        if (job.continuedBy() != null) {
            line(text, "goes on", "as job " + job.continuedBy());
        }
        line(text, "started", Text.time(job.started()) + "  epoch " + job.epoch());
        boolean backup = job.kind().equals("backup");
        line(
                text,
                "files",
                Text.count(p.files())
                        + (backup && p.filesUnchanged() > 0
                                ? " (" + Text.count(p.filesUnchanged()) + " unchanged)"
                                : ""));
        if (backup) {
            line(
                    text,
                    "bytes",
                    Text.bytes(p.sourceBytes())
                            + " protected, "
                            + Text.bytes(p.bytesRead())
                            + " read, "
                            + Text.bytes(p.bytesNew())
                            + " new, "
                            + Text.bytes(p.bytesStored())
                            + " stored"
                            + String.format(Locale.ROOT, " (ratio %.1f)", p.dedupRatio()));
        } else {
            line(text, "bytes", Text.bytes(p.bytesRead()) + " restored");
        }
        Long first = p.firstByteMillis();
        line(
                text,
                "time",
                Text.seconds(p.seconds())
                        + (p.seconds() > 0.05
                                ? ", " + Text.bytes(Math.round(p.bytesRead() / p.seconds())) + "/s"
                                : "")
                        + (first == null ? "" : ", first byte after " + Text.millis(first)));
        if (job.protection() != Protection.NOT_APPLICABLE) {
            Double seconds = job.protectedSeconds();
            line(
                    text,
                    "safety",
                    job.protection() + (seconds == null ? "" : " after " + Text.seconds(seconds)));
        }
        JobView.Safety safety = job.safety();
        line(text, "record", safety.level() + Text.atRisk(safety.rpoAtRisk()));
        for (JobView.Pair pair : job.identifiers()) {
            identifier(text, "input", pair.input());
            identifier(text, "output", pair.output());
        }
        for (JobView.LogLine log : job.log()) {
            line(
                    text,
                    log.level().toLowerCase(Locale.ROOT),
                    log.path().isEmpty() ? log.message() : log.path() + ": " + log.message());
        }
        return text.toString();
    }

    private static String title(JobView job) {
        String level = job.level();
        return (level == null
                        ? ""
                        : level.substring(0, 1).toUpperCase(Locale.ROOT) + level.substring(1) + " ")
                + job.kind()
                + (job.kind().equals("restore") ? " to " : " of ")
                + job.clientName()
                + ": "
                + job.state()
                + (job.warnings() > 0 ? ", " + job.warnings() + " warnings" : "")
                + green(job);
    }

    /** {@code , green at dr-log}, {@code , waiting for dr-data}; nothing for what is no good backup. */
    static String green(JobView job) {
        JobView.Safety safety = job.safety();
        if (!job.kind().equals("backup")) {
            return "";
        }
        String waitsFor = safety.waitsFor();
        return waitsFor != null
                ? ", waiting for " + waitsFor
                : safety.green() ? ", green (" + safety.reached() + ")" : "";
    }

    /** {@code , goes on as JOB} or {@code , will go on}; nothing for what is not checkpointed. */
    static String successor(JobView job) {
        if (job.state() != JobView.State.CHECKPOINTED || !job.kind().equals("backup")) {
            return "";
        }
        return job.continuedBy() == null ? ", will go on" : ", goes on as " + job.continuedBy();
    }

    private static void identifier(StringBuilder text, String name, IdentifierView identifier) {
        line(text, name, identifier.logical());
        String physical = identifier.physical();
        String refusal = identifier.refusal();
        if (physical != null && !physical.equals(identifier.logical())) {
            line(text, "", "-> " + physical);
        } else if (refusal != null) {
            line(text, "", "-> refused: " + refusal);
        }
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(String.format(Locale.ROOT, "  %-8s %s%n", name, value));
    }
}
