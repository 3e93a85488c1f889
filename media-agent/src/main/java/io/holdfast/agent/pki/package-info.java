/**
 * The cluster's own certificates: an offline root, an issuing authority for each site under it, and
 * leaves that carry cluster, role and id as a URI (DECISIONS 16); their files in PEM. {@link
 * io.holdfast.agent.pki.CertificateAuthority} needs Bouncy Castle on the class path (an optional
 * dependency: agents only read certificates); {@link io.holdfast.agent.pki.Pem} needs the JDK alone.
 */
@NullMarked
package io.holdfast.agent.pki;

import org.jspecify.annotations.NullMarked;
