// Constants of the inverse normal distributions, made by
// tools/make_coefficients.py: change that script, not this file.

#ifndef TF_VSINIT_CC_STREAM_NORMAL_COEFFICIENTS_H_
#define TF_VSINIT_CC_STREAM_NORMAL_COEFFICIENTS_H_

// clang-format off
#define TF_VSINIT_F32_TRUNCATED_ROWS \
  {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f}, \
  {0.0f, 0.0f, 0x1.323ffp+0f, -0x1.f8c8e6p-17f, 0x1.24af3ep-2f, -0x1.5b6836p-8f, 0x1.4d3acap-3f}, \
  {0x1.49bep-2f, 0x1.94c3b6p-2f, 0x1.4b224cp+0f, 0x1.529754p-2f, 0x1.e4cf68p-2f, 0x1.7d2c46p-2f, 0x1.caa22ap-2f}, \
  {0x1.e52dp-2f, 0x1.33c73ep-1f, 0x1.6ee572p+0f, 0x1.3c16dcp-1f, 0x1.b0c11cp-1f, 0x1.f3ff4ap-1f, 0x1.5b5982p+0f}, \
  {0x1.223c8p-1f, 0x1.7b3258p-1f, 0x1.92e358p+0f, 0x1.d59794p-1f, 0x1.5cc21p+0f, 0x1.f5a616p+0f, 0x1.98cae4p+1f}, \
  {0x1.46128p-1f, 0x1.b6294ap-1f, 0x1.b9adep+0f, 0x1.461102p+0f, 0x1.0e09aap+1f, 0x1.cf2228p+1f, 0x1.b7f63ep+2f}, \
  {0x1.6346p-1f, 0x1.eae2cap-1f, 0x1.e4ef18p+0f, 0x1.b85b34p+0f, 0x1.9b9632p+1f, 0x1.9df6f8p+2f, 0x1.c842d2p+3f}, \
  {0x1.7c2c8p-1f, 0x1.0e2c7p+0f, 0x1.0b3dc4p+1f, 0x1.266bb6p+1f, 0x1.395102p+2f, 0x1.6f994p+3f, 0x1.d4f97ep+4f}, \
  {0x1.9203p-1f, 0x1.262656p+0f, 0x1.284d6p+1f, 0x1.8a0e06p+1f, 0x1.e1afcep+2f, 0x1.49e0bep+4f, 0x1.e768c2p+5f}, \
  {0x1.a54f8p-1f, 0x1.3db8bep+0f, 0x1.4ac4b8p+1f, 0x1.0934a8p+2f, 0x1.778c86p+3f, 0x1.2d4fdp+5f, 0x1.04bb72p+7f}, \
  {0x1.b6cep-1f, 0x1.55b2c8p+0f, 0x1.752c8cp+1f, 0x1.6b09e2p+2f, 0x1.2d8798p+4f, 0x1.1e2528p+6f, 0x1.24aab4p+8f}, \
  {0x1.c6fp-1f, 0x1.6ed422p+0f, 0x1.ab78f2p+1f, 0x1.ff67c8p+2f, 0x1.fb360ep+4f, 0x1.213c08p+7f, 0x1.60d3fap+9f}, \
  {0x1.d5bd8p-1f, 0x1.897b8p+0f, 0x1.f2f28cp+1f, 0x1.75ab74p+3f, 0x1.c41c0ap+5f, 0x1.3c47c6p+8f, 0x1.d7df76p+10f}, \
  {0x1.e381p-1f, 0x1.a6ccap+0f, 0x1.2b71fap+2f, 0x1.213b3ap+4f, 0x1.b8c818p+6f, 0x1.86bd3ap+9f, 0x1.6ff072p+12f}, \
  {0x1.f04c8p-1f, 0x1.c8284ap+0f, 0x1.768372p+2f, 0x1.e818fep+4f, 0x1.ead2c4p+7f, 0x1.21b4bap+11f, 0x1.6cba22p+14f}, \
  {0x1.fb3c8p-1f, 0x1.ec7d78p+0f, 0x1.e7289ep+2f, 0x1.bdd1ecp+5f, 0x1.34aea6p+9f, 0x1.f6e32ep+12f, 0x1.b63ebep+16f}

#define TF_VSINIT_F32_UNTRUNCATED_ROWS \
  {0x1.40d932p+0f, 0x1.d1c884p-3f, 0x1.012742p-7f, -0x1.2083bcp-10f, -0x1.589012p-15f, 0x1.62997cp-17f}, \
  {0x1.bafe9p+0f, 0x1.f60d9cp-3f, 0x1.1e0eb4p-10f, -0x1.0bcc34p-10f, 0x1.cf128ep-15f, 0x1.e25972p-19f}, \
  {0x1.1be4ccp+1f, 0x1.ea0cc4p-3f, -0x1.c6bb62p-9f, -0x1.f76deap-12f, 0x1.1ef572p-14f, -0x1.9ae8aep-19f}, \
  {0x1.57027p+1f, 0x1.c5cdc8p-3f, -0x1.4518dcp-8f, -0x1.059668p-14f, 0x1.21c682p-15f, -0x1.92f152p-19f}, \
  {0x1.8d309ap+1f, 0x1.9d69fep-3f, -0x1.367ba2p-8f, 0x1.ada66ap-14f, 0x1.2eb38p-17f, -0x1.5d9e1ap-20f}, \
  {0x1.be8f1ep+1f, 0x1.798144p-3f, -0x1.06726ep-8f, 0x1.0d9ea4p-13f, -0x1.e86a46p-21f, -0x1.6939d6p-22f}, \
  {0x1.ebd344p+1f, 0x1.5bbf0ap-3f, -0x1.addf82p-9f, 0x1.cde812p-14f, -0x1.a2221cp-19f, -0x1.63975ep-28f}, \
  {0x1.0adc4p+2f, 0x1.43619ap-3f, -0x1.610afap-9f, 0x1.66edeep-14f, -0x1.827dbap-19f, 0x1.1f557ep-24f}, \
  {0x1.1e6c54p+2f, 0x1.2f3ddp-3f, -0x1.26183cp-9f, 0x1.11b2c8p-14f, -0x1.265c28p-19f, 0x1.13251p-24f}, \
  {0x1.30d528p+2f, 0x1.1e54b8p-3f, -0x1.f206bcp-10f, 0x1.a51468p-15f, -0x1.ab63dep-20f, 0x1.99dbc4p-25f}, \
  {0x1.424422p+2f, 0x1.0fe798p-3f, -0x1.ac1c1cp-10f, 0x1.499b32p-15f, -0x1.35d266p-20f, 0x1.1e8cb6p-25f}, \
  {0x1.52dc72p+2f, 0x1.036bfp-3f, -0x1.74e28cp-10f, 0x1.06e096p-15f, -0x1.c7ebcp-21f, 0x1.8db112p-26f}, \
  {0x1.62b9dep+2f, 0x1.f0f976p-4f, -0x1.48766ep-10f, 0x1.aaacfap-16f, -0x1.560f46p-21f, 0x1.177972p-26f}, \
  {0x1.71f2b8p+2f, 0x1.dd9e0ap-4f, -0x1.2422bcp-10f, 0x1.5fa76p-16f, -0x1.05b1eep-21f, 0x1.906502p-27f}, \
  {0x1.80994p+2f, 0x1.cc5438p-4f, -0x1.05feb4p-10f, 0x1.25c382p-16f, -0x1.97b162p-22f, 0x1.24aa94p-27f}, \
  {0x1.8ebc96p+2f, 0x1.bcc498p-4f, -0x1.d955ecp-11f, 0x1.f0a45ap-17f, -0x1.42b9cap-22f, 0x1.b41bbap-28f}

#define TF_VSINIT_F32_LOG2 \
  0x1.715476p+0f, \
  -0x1.71552cp-1f, \
  0x1.ec756ep-2f, \
  -0x1.70dedep-2f, \
  0x1.262f0ep-2f, \
  -0x1.fe823ap-3f, \
  0x1.dc78f4p-3f, \
  -0x1.245f38p-3f

#define TF_VSINIT_F64_TRUNCATED_P \
  -0x1.b5b95f5dae727p+1, \
  -0x1.b56dff72d0effp+6, \
  -0x1.5bb5c07ce9c71p+10, \
  -0x1.1ade267d05ff4p+13, \
  -0x1.fad5849859aeap+14, \
  -0x1.f7f05a82971dp+15, \
  -0x1.0c9601fc55f04p+16, \
  -0x1.1b67a71b44ff4p+15, \
  -0x1.fae0f9f37f65dp+12, \
  -0x1.0d168e04840ecp+9, \
  -0x1.68a73d00fddfdp-1

#define TF_VSINIT_F64_TRUNCATED_Q \
  0x1p+0, \
  0x1.27866206d6114p+5, \
  0x1.169dfcae9df7p+9, \
  0x1.15ebe847cbf2fp+12, \
  0x1.3e832673fd093p+14, \
  0x1.ac09f0ebea335p+15, \
  0x1.4c096747d4b4cp+16, \
  0x1.1ba4ad6bb16ebp+16, \
  0x1.e8be0f5d097a7p+14, \
  0x1.68d8aadcd5af1p+12, \
  0x1.3aeb6bc07840ep+8

#define TF_VSINIT_F64_CENTRAL_P \
  0x1.fc66db18180b7p+0, \
  0x1.1222299d1d9e4p+7, \
  0x1.ddc30fcbcde36p+10, \
  0x1.035983a3fdba5p+13, \
  0x1.8a02b695f4febp+13, \
  0x1.900d8e97307aap+12, \
  0x1.9a80a5392612cp+9, \
  0x1.9ca53d81da031p+1

#define TF_VSINIT_F64_CENTRAL_Q \
  0x1p+0, \
  0x1.a2ac2d423b56p+6, \
  0x1.083f22c526bb7p+11, \
  0x1.aafa1a29a4977p+13, \
  0x1.041785a8d080fp+15, \
  0x1.eaf19624528b5p+14, \
  0x1.47ef0ec308364p+13, \
  0x1.c15c51896af4ep+9

#define TF_VSINIT_F64_TAIL_P \
  -0x1.4018751e16894p-11, \
  -0x1.fcd348f1fae59p-1, \
  -0x1.cdbfede8a7babp-1, \
  -0x1.011834ae7e3f9p+0, \
  -0x1.ac48991f66993p-2, \
  -0x1.5d621d7346386p-5, \
  -0x1.081dac5db2e23p-10, \
  -0x1.7a748c544c173p-20, \
  0x1.0c21c9a0636fdp-28

#define TF_VSINIT_F64_TAIL_Q \
  0x1p+0, \
  0x1.804fc5612ba34p+0, \
  0x1.01f36a62bad86p+1, \
  0x1.684ca84005dd7p+0, \
  0x1.a2e17469c57cbp-1, \
  0x1.6f0dad56b97fp-3, \
  0x1.86645003c5da8p-7, \
  0x1.8df57168f81f3p-13

#define TF_VSINIT_F64_TWICE_LN \
  0x1p+1, \
  -0x1.ffffffffffff2p-1, \
  0x1.555555555501cp-1, \
  -0x1.00000000017a4p-1, \
  0x1.9999999a4e877p-2, \
  -0x1.555555543e0a4p-2, \
  0x1.249248d8cd789p-2, \
  -0x1.fffffffdcf83p-3, \
  0x1.c71c917ffdd56p-3, \
  -0x1.9999bbf58edd3p-3, \
  0x1.74596b236b83fp-3, \
  -0x1.554e2a4105229p-3, \
  0x1.3b50d6b02c5fap-3, \
  -0x1.253ec870a7b88p-3, \
  0x1.0f0764ea8b136p-3, \
  -0x1.ef336ae4a379bp-4, \
  0x1.ebb6aaf6d71fbp-4, \
  -0x1.1642da3cc5f51p-3, \
  0x1.fffaa361b60c3p-4, \
  -0x1.c3db5c12260c7p-5

#define TF_VSINIT_F64_TWICE_LN_2 \
  0x1.62e42fefa39efp+0

#define TF_VSINIT_F64_SQRT_HALF_PI \
  0x1.40d931ff62706p+0

#define TF_VSINIT_F64_TAIL_BELOW \
  0x1.3333333333333p-3

// clang-format on

#endif  // TF_VSINIT_CC_STREAM_NORMAL_COEFFICIENTS_H_
