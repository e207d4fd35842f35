"""Broken runs of real Kedro projects with one known cause each: does `why` find it?"""
