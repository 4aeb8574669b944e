import type { Lint } from "./contract.ts";
import { authorityKeyIdAlone } from "./lints/authority-key-id-alone.ts";
import { authorityKeyIdNotCritical } from "./lints/authority-key-id-not-critical.ts";
import { authorityKeyIdOfIssuer } from "./lints/authority-key-id-of-issuer.ts";
import { authorityKeyIdPresent } from "./lints/authority-key-id-present.ts";
import { authoritySubjectNotEmpty } from "./lints/authority-subject-not-empty.ts";
import { basicConstraintsCaFlag } from "./lints/basic-constraints-ca-flag.ts";
import { basicConstraintsCritical } from "./lints/basic-constraints-critical.ts";
import { basicConstraintsDefaultNotWritten } from "./lints/basic-constraints-default-not-written.ts";
import { basicConstraintsPresent } from "./lints/basic-constraints-present.ts";
import { derCanonical } from "./lints/der-canonical.ts";
import { ecKeyNamedCurve } from "./lints/ec-key-named-curve.ts";
import { ecPointUncompressed } from "./lints/ec-point-uncompressed.ts";
import { ecdsaAlgorithmWithoutParameters } from "./lints/ecdsa-algorithm-without-parameters.ts";
import { extendedKeyUsageNotAny } from "./lints/extended-key-usage-not-any.ts";
import { extendedKeyUsageNotAuthority } from "./lints/extended-key-usage-not-authority.ts";
import { extendedKeyUsageNotCritical } from "./lints/extended-key-usage-not-critical.ts";
import { extendedKeyUsageOfLeaf } from "./lints/extended-key-usage-of-leaf.ts";
import { extendedKeyUsagePresent } from "./lints/extended-key-usage-present.ts";
import { extensionDefaultNotWritten } from "./lints/extension-default-not-written.ts";
import { extensionKnown } from "./lints/extension-known.ts";
import { extensionNoDuplicates } from "./lints/extension-no-duplicates.ts";
import { extensionReadable } from "./lints/extension-readable.ts";
import { issuerIsCa } from "./lints/issuer-is-ca.ts";
import { issuerIsIssuersSubject } from "./lints/issuer-is-issuers-subject.ts";
import { issuerKeyOfSigner } from "./lints/issuer-key-of-signer.ts";
import { issuerNameConstraintsPermit } from "./lints/issuer-name-constraints-permit.ts";
import { issuerNotEmpty } from "./lints/issuer-not-empty.ts";
import { issuerPathLengthPermits } from "./lints/issuer-path-length-permits.ts";
import { issuingSubjectDiffers } from "./lints/issuing-subject-differs.ts";
import { keyAsGranted } from "./lints/key-as-granted.ts";
import { keyKindAsGranted } from "./lints/key-kind-as-granted.ts";
import { keyKnownShape } from "./lints/key-known-shape.ts";
import { keyNotIssuers } from "./lints/key-not-issuers.ts";
import { keyUsageAuthoritySignsCertificates } from "./lints/key-usage-authority-signs-certificates.ts";
import { keyUsageCertSignOnlyCa } from "./lints/key-usage-cert-sign-only-ca.ts";
import { keyUsageCritical } from "./lints/key-usage-critical.ts";
import { keyUsageEc } from "./lints/key-usage-ec.ts";
import { keyUsageLeafSigns } from "./lints/key-usage-leaf-signs.ts";
import { keyUsageLeafSignsNoCertificates } from "./lints/key-usage-leaf-signs-no-certificates.ts";
import { keyUsageMinimal } from "./lints/key-usage-minimal.ts";
import { keyUsageNotEmpty } from "./lints/key-usage-not-empty.ts";
import { keyUsageOfProfile } from "./lints/key-usage-of-profile.ts";
import { keyUsageOnlyBitsNeedAgreement } from "./lints/key-usage-only-bits-need-agreement.ts";
import { keyUsagePresent } from "./lints/key-usage-present.ts";
import { keyUsageRsa } from "./lints/key-usage-rsa.ts";
import { leafSubjectEmpty } from "./lints/leaf-subject-empty.ts";
import { membersAsWritten } from "./lints/members-as-written.ts";
import { noUniqueIdentifiers } from "./lints/no-unique-identifiers.ts";
import { notAfterAsGranted } from "./lints/not-after-as-granted.ts";
import { notAfterWithinIssuers } from "./lints/not-after-within-issuers.ts";
import { notBeforeAsGranted } from "./lints/not-before-as-granted.ts";
import { notBeforeWithinIssuers } from "./lints/not-before-within-issuers.ts";
import { pathLengthOfProfile } from "./lints/path-length-of-profile.ts";
import { pathLengthOnlyCa } from "./lints/path-length-only-ca.ts";
import { rootAuthorityKeyIdOwn } from "./lints/root-authority-key-id-own.ts";
import { rootIssuerIsSubject } from "./lints/root-issuer-is-subject.ts";
import { rootKeyOfSigner } from "./lints/root-key-of-signer.ts";
import { rsaAlgorithmWithNull } from "./lints/rsa-algorithm-with-null.ts";
import { rsaKeyParametersNull } from "./lints/rsa-key-parameters-null.ts";
import { sanAscii } from "./lints/san-ascii.ts";
import { sanCriticalWithoutSubject } from "./lints/san-critical-without-subject.ts";
import { sanDnsAsGranted } from "./lints/san-dns-as-granted.ts";
import { sanDnsLdh } from "./lints/san-dns-ldh.ts";
import { sanDnsLengths } from "./lints/san-dns-lengths.ts";
import { sanIpAsGranted } from "./lints/san-ip-as-granted.ts";
import { sanIpLengths } from "./lints/san-ip-lengths.ts";
import { sanKnownKinds } from "./lints/san-known-kinds.ts";
import { sanNoDuplicates } from "./lints/san-no-duplicates.ts";
import { sanNotCriticalWithSubject } from "./lints/san-not-critical-with-subject.ts";
import { sanNotEmpty } from "./lints/san-not-empty.ts";
import { sanOneUri } from "./lints/san-one-uri.ts";
import { sanPresent } from "./lints/san-present.ts";
import { sanUriAsGranted } from "./lints/san-uri-as-granted.ts";
import { sanUriHasPath } from "./lints/san-uri-has-path.ts";
import { sanUriSpiffeId } from "./lints/san-uri-spiffe-id.ts";
import { sanUriWithoutPath } from "./lints/san-uri-without-path.ts";
import { serialAtLeast64Bits } from "./lints/serial-at-least-64-bits.ts";
import { serialAtMost20Octets } from "./lints/serial-at-most-20-octets.ts";
import { serialMinimal } from "./lints/serial-minimal.ts";
import { serialPositive } from "./lints/serial-positive.ts";
import { signatureAlgorithmOfSigner } from "./lints/signature-algorithm-of-signer.ts";
import { signatureHashNotBroken } from "./lints/signature-hash-not-broken.ts";
import { sizeBelow4Kib } from "./lints/size-below-4-kib.ts";
import { subjectAttributeLengths } from "./lints/subject-attribute-lengths.ts";
import { subjectKeyIdNotCritical } from "./lints/subject-key-id-not-critical.ts";
import { subjectKeyIdOfKey } from "./lints/subject-key-id-of-key.ts";
import { subjectKeyIdPresent } from "./lints/subject-key-id-present.ts";
import { subjectKnownAttributes } from "./lints/subject-known-attributes.ts";
import { subjectNoOuterSpaces } from "./lints/subject-no-outer-spaces.ts";
import { subjectOneAttributeEach } from "./lints/subject-one-attribute-each.ts";
import { subjectUtf8String } from "./lints/subject-utf8-string.ts";
import { timeFormByYear } from "./lints/time-form-by-year.ts";
import { timeHasSeconds } from "./lints/time-has-seconds.ts";
import { timeIsItsText } from "./lints/time-is-its-text.ts";
import { timeNoFraction } from "./lints/time-no-fraction.ts";
import { timeZulu } from "./lints/time-zulu.ts";
import { trustDomainOfIssuer } from "./lints/trust-domain-of-issuer.ts";
import { validityOrder } from "./lints/validity-order.ts";
import { versionIs3 } from "./lints/version-is-3.ts";

/** Every lint, in the order in which findings are told. */
export const lints: readonly Lint[] = [
  versionIs3,
  membersAsWritten,
  derCanonical,
  noUniqueIdentifiers,
  sizeBelow4Kib,
  serialPositive,
  serialAtMost20Octets,
  serialMinimal,
  serialAtLeast64Bits,
  signatureAlgorithmOfSigner,
  ecdsaAlgorithmWithoutParameters,
  rsaAlgorithmWithNull,
  signatureHashNotBroken,
  issuerNotEmpty,
  issuerIsIssuersSubject,
  rootIssuerIsSubject,
  issuingSubjectDiffers,
  authoritySubjectNotEmpty,
  leafSubjectEmpty,
  subjectOneAttributeEach,
  subjectKnownAttributes,
  subjectUtf8String,
  subjectAttributeLengths,
  subjectNoOuterSpaces,
  validityOrder,
  timeFormByYear,
  timeZulu,
  timeHasSeconds,
  timeNoFraction,
  timeIsItsText,
  notAfterWithinIssuers,
  notBeforeWithinIssuers,
  notBeforeAsGranted,
  notAfterAsGranted,
  keyAsGranted,
  keyKnownShape,
  keyKindAsGranted,
  keyNotIssuers,
  rsaKeyParametersNull,
  ecKeyNamedCurve,
  ecPointUncompressed,
  extensionNoDuplicates,
  extensionKnown,
  extensionReadable,
  extensionDefaultNotWritten,
  sanPresent,
  sanNotEmpty,
  sanOneUri,
  sanUriAsGranted,
  sanUriSpiffeId,
  sanUriHasPath,
  sanUriWithoutPath,
  sanNoDuplicates,
  sanKnownKinds,
  sanAscii,
  sanDnsLdh,
  sanDnsLengths,
  sanDnsAsGranted,
  sanIpLengths,
  sanIpAsGranted,
  sanCriticalWithoutSubject,
  sanNotCriticalWithSubject,
  trustDomainOfIssuer,
  keyUsagePresent,
  keyUsageCritical,
  keyUsageMinimal,
  keyUsageNotEmpty,
  keyUsageOfProfile,
  keyUsageLeafSigns,
  keyUsageLeafSignsNoCertificates,
  keyUsageAuthoritySignsCertificates,
  keyUsageCertSignOnlyCa,
  keyUsageEc,
  keyUsageRsa,
  keyUsageOnlyBitsNeedAgreement,
  basicConstraintsPresent,
  basicConstraintsCritical,
  basicConstraintsCaFlag,
  basicConstraintsDefaultNotWritten,
  pathLengthOnlyCa,
  pathLengthOfProfile,
  extendedKeyUsagePresent,
  extendedKeyUsageOfLeaf,
  extendedKeyUsageNotAny,
  extendedKeyUsageNotAuthority,
  extendedKeyUsageNotCritical,
  subjectKeyIdPresent,
  subjectKeyIdNotCritical,
  subjectKeyIdOfKey,
  authorityKeyIdPresent,
  authorityKeyIdNotCritical,
  authorityKeyIdOfIssuer,
  authorityKeyIdAlone,
  rootAuthorityKeyIdOwn,
  rootKeyOfSigner,
  issuerKeyOfSigner,
  issuerIsCa,
  issuerPathLengthPermits,
  issuerNameConstraintsPermit,
];
