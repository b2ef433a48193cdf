"""The ways to the social-security systems: `ivr.business.Business`, implemented."""
